package imagebench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pythontest"
	"github.com/foopack/foopack/magefiles/internal/rattlertest"
)

// programs compiles BuildKit's daemon and buildx at the versions pinned in magefiles/bench.mod, and returns their folder.
func programs(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	require.NoError(t, err)
	top := filepath.Dir(strings.TrimSpace(string(out)))
	mod, err := os.ReadFile(filepath.Join(top, "magefiles", "bench.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(top, "magefiles", "bench.sum"))
	require.NoError(t, err)
	return pythontest.Once(t, "buildkit", func(dir string) {
		t.Logf("compiling BuildKit and buildx in %s", dir)
		// These are the flags with which other tests compile Caddy, so that shared packages are compiled only once.
		run(t, top, "env", "CGO_ENABLED=0", "go", "build", "-modfile=magefiles/bench.mod", "-trimpath", "-ldflags=-s -w", "-o", dir+"/",
			"github.com/moby/buildkit/cmd/buildkitd", "github.com/docker/buildx/cmd/buildx")
	}, mod, sum)
}

// suite is the Debian release of the base images, and script builds them. Both are part of a tree's cache key.
const (
	suite  = "bookworm"
	script = `set -eu
# The first stage of debootstrap downloads, and unpacks what is essential. The rest is unpacked here: no program of the tree
# is run, so that another machine's is made as fast as this one's.
debootstrap --foreign --variant=minbase --include=python3,ca-certificates --arch="$ARCH" "$SUITE" root
for archive in root/var/cache/apt/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$archive" | tar -C root -x --keep-directory-symlink
done
cd root
rm -rf var/cache/apt var/lib/apt/lists debootstrap usr/share/doc usr/share/man usr/share/locale proc sys dev
mkdir proc sys dev
# What the packages' own scripts would have done, as far as anything here needs it.
cp usr/share/base-passwd/passwd.master etc/passwd
cp usr/share/base-passwd/group.master etc/group
ln -sf mawk usr/bin/awk
cat usr/share/ca-certificates/mozilla/*.crt > etc/ssl/certs/ca-certificates.crt
tar --numeric-owner --sort=name -cf "../full-$ARCH.tar" .
tar --numeric-owner --sort=name --exclude='./usr/lib/python3*' --exclude='./usr/share/python3*' --exclude='./usr/bin/py*' -cf "../slim-$ARCH.tar" .
`
)

// tree unpacks Debian packages for an architecture: root/ with Python, full-ARCH.tar with the same content, and slim-ARCH.tar without Python.
func tree(t testing.TB, arch string) string {
	t.Helper()
	return pythontest.Once(t, "debian-"+arch, func(dir string) {
		t.Logf("unpacking Debian for %s in %s", arch, dir)
		x := exec.CommandContext(t.Context(), "sh", "-c", script)
		x.Dir = dir
		x.Env = append(os.Environ(), "ARCH="+arch, "SUITE="+suite, "LC_ALL=C", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
		out, err := x.CombinedOutput()
		require.NoError(t, err, "making a Debian tree for %s: %s", arch, out)
	}, []byte(suite), []byte(script))
}

// machines maps architectures to Python's names for them.
var machines = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

// wheels returns a folder with py-rattler, unpacked, for Debian's Python on an architecture.
func wheels(t testing.TB, arch string) string {
	t.Helper()
	pin := rattlertest.Pin(t, "py-rattler")
	python := rattlertest.Python(t)
	return filepath.Join(pythontest.Once(t, "rattler-"+arch, func(dir string) {
		list := filepath.Join(dir, "requirements.txt")
		require.NoError(t, os.WriteFile(list, []byte(pin), 0o644))
		args := []string{
			"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary", ":all:",
			"--target", filepath.Join(dir, "lib"), "--implementation", "cp", "--python-version", "3.11", "-r", list,
		}
		for _, glibc := range []string{"_2_28", "_2_17", "2014"} {
			args = append(args, "--platform", "manylinux"+glibc+"_"+machines[arch])
		}
		run(t, dir, python, args...)
	}, []byte(pin)), "lib")
}

func run(t testing.TB, dir, name string, args ...string) {
	t.Helper()
	x := exec.CommandContext(t.Context(), name, args...)
	x.Dir = dir
	out, err := x.CombinedOutput()
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), out)
}
