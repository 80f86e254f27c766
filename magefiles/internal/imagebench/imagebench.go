// Package imagebench provides real tools for tests that build, store and run images: BuildKit's daemon and buildx, compiled with modules from the
// Go proxy; a registry; base images for two platforms, made from Debian packages; arm64 emulation with qemu; and an image with a small substitute
// for pixi (pixi.py), which solves, locks and installs with py-rattler.
//
// It requires Linux, root, and the programs in `need`. CI has them. Elsewhere, a test that starts the bench is skipped with a list of what is
// missing. The first start on a machine takes some minutes to compile and unpack, and caches the results in the user's cache folder (see
// pythontest.Once). All servers listen on loopback, and stop when the test ends.
package imagebench

import (
	_ "embed"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/localregistry"
)

//go:embed pixi.py
var pixiProgram []byte

//go:embed images.Dockerfile
var imagesDockerfile []byte

//go:embed sbom.sh
var sbomProgram []byte

// Platforms are the architectures of the base images.
var Platforms = []string{"amd64", "arm64"}

// need lists the programs that the bench requires, with their Debian packages.
var need = []struct{ program, debian string }{
	{"docker", "docker.io"},
	{"dockerd", "docker.io"},
	{"runc", "runc"},
	{"debootstrap", "debootstrap"},
	{"dpkg-deb", "dpkg"},
	{"tar", "tar"},
	{"qemu-aarch64-static", "qemu-user-static"},
	{"skopeo", "skopeo"},
}

// Bench contains the addresses and folders of a running bench.
type Bench struct {
	Registry string // HOST:PORT, on loopback
	Dir      string // folder for exclusive use by this bench
	Root     string // root of an arm64 Debian tree with Python
	Builder  string // name of the buildx builder

	requests atomic.Pointer[Fault]
	t        testing.TB
}

// Fault handles a request instead of the registry if it returns true.
type Fault func(w http.ResponseWriter, r *http.Request) bool

// Start starts BuildKit and the registry, and pushes the base images.
func Start(t testing.TB) *Bench {
	t.Helper()
	require.True(t, complete(t))
	b := &Bench{Dir: t.TempDir(), Builder: "bench", t: t}
	emulate(t)
	programs := programs(t)
	trees := map[string]string{}
	for _, arch := range Platforms {
		trees[arch] = tree(t, arch)
	}
	b.Root = filepath.Join(trees["arm64"], "root")
	b.serve()
	b.build(programs)
	b.images(trees)
	return b
}

// complete reports whether everything is available. Otherwise, it skips the test, or fails it in CI.
func complete(t testing.TB) bool {
	t.Helper()
	var missing []string
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		missing = append(missing, "Linux on amd64")
	} else if os.Geteuid() != 0 {
		missing = append(missing, "root")
	}
	for _, n := range need {
		if _, err := look(n.program); err != nil {
			missing = append(missing, n.program+" (Debian: "+n.debian+")")
		}
	}
	if len(missing) == 0 {
		return true
	}
	reason := "images are built for real with what is missing here: " + strings.Join(missing, ", ")
	require.False(t, os.Getenv("CI") != "" && os.Geteuid() == 0, reason)
	t.Skip(reason)
	return false
}

// look finds a program in PATH, or in the folders for root's programs.
func look(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + program)
}

// binfmt is the kernel's interface for registering interpreters of foreign binaries.
const binfmt = "/proc/sys/fs/binfmt_misc"

// qemu registers qemu as the interpreter for arm64 binaries. With flag F the kernel opens qemu now, so that images need not contain it.
const qemu = `:qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:`

// emulate enables arm64 emulation on this machine if necessary. It remains enabled after the test, because other tests may depend on it.
func emulate(t testing.TB) {
	if _, err := os.Stat(binfmt + "/register"); err != nil {
		require.NoError(t, mountBinfmt(binfmt), "mounting %s", binfmt)
	}
	if _, err := os.Stat(binfmt + "/qemu-aarch64"); err == nil {
		return
	}
	path, err := look("qemu-aarch64-static")
	require.NoError(t, err)
	if err := os.WriteFile(binfmt+"/register", []byte(qemu+path+":F"), 0o200); err != nil {
		require.FileExists(t, binfmt+"/qemu-aarch64", "%v", err) // another bench may have registered it first
	}
}

// serve starts the registry.
func (b *Bench) serve() {
	server, err := localregistry.Start(filepath.Join(b.Dir, "blobs"), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if fault := b.requests.Load(); fault == nil || !(*fault)(w, r) {
				next.ServeHTTP(w, r)
			}
		})
	})
	require.NoError(b.t, err)
	b.Registry = server.Host
	b.t.Cleanup(func() { _ = server.Close() })
}

// Fail lets f handle requests instead of the registry. Fail(nil) ends this.
func (b *Bench) Fail(f Fault) {
	if f == nil {
		b.requests.Store(nil)
		return
	}
	b.requests.Store(&f)
}

// buildkit is the daemon's configuration. The daemon runs for one test only, so garbage collection is off.
const buildkit = "[worker.oci]\n  gc = false\n[worker.containerd]\n  enabled = false\n"

// build starts BuildKit, and creates a builder for it.
func (b *Bench) build(programs string) {
	t := b.t
	dir := filepath.Join(b.Dir, "buildkit")
	plugins := filepath.Join(b.Dir, "docker", "cli-plugins")
	require.NoError(t, os.MkdirAll(plugins, 0o755))
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.Symlink(filepath.Join(programs, "buildx"), filepath.Join(plugins, "docker-buildx")))
	config := filepath.Join(b.Dir, "buildkitd.toml")
	require.NoError(t, os.WriteFile(config, []byte(buildkit), 0o644))
	runc, err := look("runc")
	require.NoError(t, err)
	// Socket paths are limited to about a hundred characters, and a test's folder is already that long.
	short, err := os.MkdirTemp("", "bk")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	socket := "unix://" + filepath.Join(short, "s")
	log, err := os.Create(filepath.Join(b.Dir, "buildkitd.log"))
	require.NoError(t, err)
	x := exec.Command(filepath.Join(programs, "buildkitd"), "--config", config, "--addr", socket, "--root", dir,
		"--oci-worker=true", "--containerd-worker=false", "--oci-worker-binary", runc)
	x.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	x.Stdout, x.Stderr = log, log
	x.SysProcAttr = killWithParent(syscall.SIGKILL)
	require.NoError(t, x.Start())
	t.Cleanup(func() {
		_ = x.Process.Signal(syscall.SIGTERM)
		_ = x.Wait()
		log.Close()
	})
	require.Eventually(t, func() bool { _, err := os.Stat(strings.TrimPrefix(socket, "unix://")); return err == nil }, 5*time.Minute, 50*time.Millisecond,
		"BuildKit does not start: %s", log.Name())
	b.Run("", "docker", "buildx", "create", "--name", b.Builder, "--driver", "remote", socket)
	b.Run("", "docker", "buildx", "inspect", "--bootstrap", b.Builder)
}

// images builds and pushes the base images.
func (b *Bench) images(trees map[string]string) {
	t := b.t
	context := filepath.Join(b.Dir, "context")
	require.NoError(t, os.Mkdir(context, 0o755))
	for name, text := range map[string][]byte{"pixi": pixiProgram, "Dockerfile": imagesDockerfile, "sbom": sbomProgram} {
		require.NoError(t, os.WriteFile(filepath.Join(context, name), text, 0o755))
	}
	args := []string{"buildx", "build", "--builder", b.Builder, "--platform", "linux/amd64,linux/arm64", "--provenance=false", "--output", "type=registry,compression=gzip,compression-level=1"}
	for _, arch := range Platforms {
		for _, tar := range []string{"full-" + arch + ".tar", "slim-" + arch + ".tar"} {
			b.Run(context, "cp", "--reflink=auto", filepath.Join(trees[arch], tar), ".")
		}
		require.NoError(t, os.CopyFS(filepath.Join(context, "wheels-"+arch), os.DirFS(wheels(t, arch))))
	}
	for _, target := range []string{"base", "pixi", "sbom"} {
		b.Run("", "docker", append(args, "--target", target, "--tag", b.image(target), context)...)
	}
}

func (b *Bench) image(name string) string { return b.Registry + "/bench/" + name + ":1" }

// Env returns the environment variables that make docker and the pipeline use the bench.
func (b *Bench) Env() []string {
	return []string{
		"DOCKER_CONFIG=" + filepath.Join(b.Dir, "docker"), "BUILDX_BUILDER=" + b.Builder, "PIXI_IMAGE=" + b.image("pixi"),
		"BASE_IMAGE=" + b.image("base"), "BUILDKIT_SBOM_GENERATOR=" + b.image("sbom"),
	}
}

// Run runs a program, which must succeed, and returns its output.
func (b *Bench) Run(dir, name string, args ...string) string {
	b.t.Helper()
	x := exec.CommandContext(b.t.Context(), name, args...)
	x.Dir, x.Env = dir, append(os.Environ(), b.Env()...)
	var problems strings.Builder
	x.Stderr = &problems
	out, err := x.Output()
	require.NoError(b.t, err, "%s %s: %s%s", name, strings.Join(args, " "), out, problems.String())
	return string(out)
}

// Unpack extracts an image's root file system for one platform, and returns the folder.
func (b *Bench) Unpack(ref, platform string) string {
	b.t.Helper()
	out, empty := b.t.TempDir(), b.t.TempDir()
	file := filepath.Join(b.t.TempDir(), "Dockerfile")
	require.NoError(b.t, os.WriteFile(file, fmt.Appendf(nil, "FROM %s\n", ref), 0o644))
	archive := filepath.Join(b.t.TempDir(), "root.tar")
	b.Run("", "docker", "buildx", "build", "--builder", b.Builder, "--platform", platform, "--provenance=false", "--output", "type=tar,dest="+archive, "--file", file, empty)
	b.Run("", "tar", "--numeric-owner", "--same-owner", "-C", out, "-xf", archive)
	require.NoError(b.t, os.Remove(archive))
	return out
}
