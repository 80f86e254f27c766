package e2e_test

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

const lfsPointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

// library makes a repository with one file.
func library(t testing.TB, name string) string {
	dir := filepath.Join(t.TempDir(), name)
	write(t, dir, "file.py", name+" = 1\n")
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=b", "-c", "user.email=b@example.invalid", "commit", "-q", "-m", "feat: "+name)
	return dir
}

// withSubmodule adds a submodule to a package, pushes the commit, and returns the repository of the submodule.
func (r *releasing) withSubmodule(at string) string {
	lib := library(r.t, "vendored")
	git(r.t, r.dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib, at)
	r.pushAll("feat(core): vendored")
	return lib
}

const inCore = "packages/core/src/mono_core/vendored"

// If files that git tracks are missing from the work tree, targets that pack packages fail with the file names before anything is uploaded.
func TestMissingTrackedFilesStopPacking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(r *releasing)
		says    string // error of publish
		build   string // error of build:package; "" if it succeeds
		release string // error of release; "" if it succeeds
	}{
		{
			name: "a submodule that is not checked out",
			do: func(r *releasing) {
				r.withSubmodule(inCore)
				git(r.t, r.dir, "submodule", "--quiet", "deinit", "--all", "--force")
			},
			says:    inCore + " is a submodule, and its files are not in this clone",
			build:   inCore + " is a submodule",
			release: "",
		},
		{
			name: "a submodule at another commit, which git does not tell",
			do: func(r *releasing) {
				r.withSubmodule(inCore)
				git(r.t, r.dir, "config", "submodule."+inCore+".ignore", "all")
				git(r.t, filepath.Join(r.dir, inCore), "-c", "user.name=b", "-c", "user.email=b@example.invalid", "commit", "-q", "--allow-empty", "-m", "x")
			},
			says:    inCore + " is a submodule at a different commit",
			build:   "",
			release: "",
		},
		{
			name: "a submodule with uncommitted changes",
			do: func(r *releasing) {
				r.withSubmodule(inCore)
				write(r.t, r.dir, inCore+"/file.py", "changed = 1\n")
			},
			says:    inCore + " is a submodule with uncommitted changes",
			build:   "",
			release: "the work tree has changes: " + inCore,
		},
		{
			name: "a pointer of Git LFS",
			do: func(r *releasing) {
				write(r.t, r.dir, ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
				write(r.t, r.dir, "packages/core/src/mono_core/model.bin", lfsPointer)
				r.pushAll("feat(core): a model")
			},
			says:    "packages/core/src/mono_core/model.bin is only a pointer to a file in Git LFS",
			build:   "model.bin is only a pointer",
			release: "model.bin is only a pointer",
		},
		{
			name: "a file that is encrypted",
			do: func(r *releasing) {
				write(r.t, r.dir, ".gitattributes", "secret.* filter=git-crypt\n")
				write(r.t, r.dir, "packages/core/src/mono_core/secret.txt", "\x00GITCRYPT\x00abc")
				r.pushAll("feat(core): a secret")
			},
			says:    "packages/core/src/mono_core/secret.txt is encrypted by git-crypt",
			build:   "secret.txt is encrypted",
			release: "secret.txt is encrypted",
		},
		{
			name: "a sparse checkout of files",
			do: func(r *releasing) {
				write(r.t, r.dir, "packages/core/src/mono_core/data/table.csv", "1\n")
				r.pushAll("feat(core): data")
				git(r.t, r.dir, "sparse-checkout", "set", "--no-cone", "/*", "!data/")
			},
			says:    "packages/core/src/mono_core/data/table.csv is left out of this work tree (a sparse checkout)",
			build:   "table.csv is left out",
			release: "",
		},
		{
			name: "a sparse checkout of packages",
			do: func(r *releasing) {
				git(r.t, r.dir, "sparse-checkout", "set", "--no-cone", "/*", "!/packages/p0002/")
			},
			says:    "the sparse checkout leaves out packages/p0002/pixi.toml",
			build:   "",
			release: "the sparse checkout leaves out packages/p0002/pixi.toml",
		},
		{
			name: "a change that git was told to pass over",
			do: func(r *releasing) {
				git(r.t, r.dir, "update-index", "--assume-unchanged", "packages/core/src/mono_core/__init__.py")
				write(r.t, r.dir, "packages/core/src/mono_core/__init__.py", "local = 1\n")
			},
			says:    "packages/core/src/mono_core/__init__.py is changed, but git was told to ignore changes of this file",
			build:   "",
			release: "__init__.py is changed, but git was told to ignore changes of this file",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			c.do(r)
			before := git(t, r.dir, "status", "--porcelain")
			out := r.refused(1, c.says, "publish", "-yes")
			require.Contains(t, out, "→ ")
			require.Empty(t, r.onChannel())
			if c.build != "" {
				r.refused(1, c.build, "build:package", "mono-core")
			} else {
				r.ok("build:package", "mono-core")
			}
			require.Equal(t, before, git(t, r.dir, "status", "--porcelain"))
			if c.release == "" {
				r.ok("release", "-to=patch", "-yes")
				require.Len(t, r.onChannel(), 3)
				return
			}
			out = r.refused(1, c.release, "release", "-to=patch", "-yes")
			require.NotContains(t, out, "✓ preflight")
			require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
			require.Empty(t, r.onChannel())
		})
	}
}

// The real toolchain packs the files of a submodule that only this machine can fetch. In a rehearsal, the CI has these files too.
func TestSubmodulesArePacked(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", real: true})
	require.NoError(t, os.RemoveAll(r.withSubmodule(inCore)))
	r.ok("release", "-to=patch", "-yes")
	require.Contains(t, r.packed("mono-core-0.1.7"), "site-packages/mono_core/vendored/file.py")

	r = newReleasing(t, releaseOptions{by: "ci"})
	require.NoError(t, os.RemoveAll(r.withSubmodule(inCore)))
	require.Contains(t, r.ok("rehearse"), "✓ publish")
}

// packed returns the names of the files in an artifact that the release has built.
func (r *releasing) packed(stem string) []string {
	r.t.Helper()
	a := r.artifact(stem)
	defer a.Close()
	files, err := a.Files()
	require.NoError(r.t, err)
	return files
}

// packedFile returns the content of the only file in an artifact whose path has the given suffix.
func (r *releasing) packedFile(stem, end string) (text string) {
	r.t.Helper()
	a, found := r.artifact(stem), 0
	defer a.Close()
	require.NoError(r.t, a.Walk(func(h *tar.Header, body io.Reader) error {
		if !strings.HasSuffix(h.Name, end) {
			return nil
		}
		data, err := io.ReadAll(body)
		text, found = string(data), found+1
		return err
	}))
	require.Equal(r.t, 1, found, "%s in %s", end, stem)
	return text
}

// artifact opens an artifact that the release has built.
func (r *releasing) artifact(stem string) *condapkg.Archive {
	r.t.Helper()
	found, err := filepath.Glob(filepath.Join(r.dir, "output", "release", "*", stem+"-*.conda"))
	require.NoError(r.t, err)
	if len(found) == 0 {
		found, err = filepath.Glob(filepath.Join(r.dir, "output", "release", "*", "output", stem+"-*.conda"))
		require.NoError(r.t, err)
	}
	require.NotEmpty(r.t, found)
	a, err := condapkg.Open(found[0])
	require.NoError(r.t, err)
	return a
}

// A submodule that cannot be fetched stops the release with git's error: in preflight if its URL does not respond, otherwise before the tag is made.
// The release continues once the submodule can be fetched.
func TestMissingSubmodule(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	lib := r.withSubmodule(inCore)
	r.dir = r.newClone() // without its submodules
	aside := lib + ".aside"
	require.NoError(t, os.Rename(lib, aside))
	out := r.refused(1, inCore+" is a submodule, and its files are not in this clone, and cannot be fetched", "release", "-to=patch", "-yes")
	require.Contains(t, out, "git submodule update --init --recursive "+inCore)
	require.NotContains(t, out, "✓ preflight")
	require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))

	r.env = command.Setenv(r.env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=always")
	require.NoError(t, os.Rename(library(t, "another"), lib))
	out = r.refused(1, inCore+" is a submodule, and its files are not in this clone", "release", "-to=patch", "-yes")
	require.Contains(t, out, "✗ check")
	require.NotContains(t, out, "✓ tag")
	require.Empty(t, r.onChannel())

	require.NoError(t, os.RemoveAll(lib))
	require.NoError(t, os.Rename(aside, lib))
	r.ok("release", "-yes") // fetched from its URL
	require.Len(t, r.onChannel(), 3)
}

// A package that is a submodule belongs to another repository. A bump cannot commit to that repository, and its error says so.
func TestPackageInASubmodule(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	lib := library(t, "other")
	write(t, lib, "pixi.toml", "[package]\nname = \"other\"\nversion = \"0.1.6\"\n[package.build]\nbackend = { name = \"pixi-build-python\" }\n")
	write(t, lib, "pyproject.toml", "[project]\nname = \"other\"\nversion = \"0.1.6\"\n")
	git(t, lib, "add", "-A")
	git(t, lib, "-c", "user.name=b", "-c", "user.email=b@example.invalid", "commit", "-q", "-m", "feat: a package")
	git(t, r.dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib, "packages/other")
	in("pixi.toml", "[tasks]", "[dependencies]\nother = { path = \"packages/other\" }\n\n[tasks]")(t, r.dir)
	r.pushAll("feat: another package")
	head := git(t, r.dir, "rev-parse", "HEAD")
	out := r.refused(1, "packages/other", "release", "-to=patch", "-yes")
	require.Contains(t, out, "submodule")
	require.Equal(t, head, git(t, r.dir, "rev-parse", "HEAD"))
	require.Empty(t, git(t, r.dir, "status", "--porcelain"))

	write(t, r.dir, "packages/other/file.py", "changed = 1\n")
	r.refused(1, "packages/other is a submodule with uncommitted changes", "publish", "-yes")
	git(t, r.dir, "submodule", "--quiet", "deinit", "--all", "--force")
	out = r.refused(1, "packages/other is a submodule, and its files are not in this clone", "publish", "-yes")
	require.True(t, strings.Contains(out, "submodules: recursive"))
}
