package embedded_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// fromTags creates a workspace in a repository with a tag, with one package for each tool that derives the version from tags.
func fromTags(t *testing.T) *workspace.Workspace {
	files := map[string]string{"pixi.toml": "[dependencies]\n"}
	show := ""
	for name, project := range map[string]string{
		"scm":   "[build-system]\nrequires = [\"setuptools>=70\", \"setuptools-scm>=8\"]\nbuild-backend = \"setuptools.build_meta\"\n[tool.setuptools_scm]\nroot = \"..\"\n",
		"hatch": "[build-system]\nrequires = [\"hatchling\", \"hatch-vcs\"]\nbuild-backend = \"hatchling.build\"\n[tool.hatch.version]\nsource = \"vcs\"\nraw-options = { root = \"..\" }\n",
		"pdm":   "[build-system]\nrequires = [\"pdm-backend\"]\nbuild-backend = \"pdm.backend\"\n[tool.pdm.version]\nsource = \"scm\"\n",
	} {
		files["pixi.toml"] += name + " = { path = \"" + name + "\" }\n"
		files[name+"/pixi.toml"] = "[package]\nname = \"" + name + "\"\nversion = \"1.4.0\"\n" + python
		files[name+"/pyproject.toml"] = "[project]\nname = \"" + name + "\"\ndynamic = [\"version\"]\n" + project
		files[name+"/src/"+name+"/__init__.py"] = ""
		show += "print(version(\"" + name + "\"));"
	}
	files["pixi.toml"] += "[tasks]\nshow = \"\"\"python -c 'from importlib.metadata import version;" + show + "'\"\"\"\n"
	files[".gitignore"] = ".pixi/\noutput/\n*.egg-info/\nbuild/\n.pdm-build/\n"
	w := writeWorkspace(t, files)
	git(t, w.Root, "init", "-q")
	git(t, w.Root, "add", "-A")
	git(t, w.Root, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "first")
	git(t, w.Root, "-c", "user.name=t", "-c", "user.email=t@example.com", "tag", "-am", "first", "v1.4.0")
	return w
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	out, err := command.Output(t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{
		Name: "git",
		Args: args,
		Dir:  dir,
		Env:  command.Setenv(os.Environ(), "HOME="+t.TempDir(), "GIT_CONFIG_NOSYSTEM=1"),
	})
	require.NoError(t, err, out)
}

// TestVersionsFromOutside sets a version with each tool's environment variable, and checks that neither builds nor task environments use it.
func TestVersionsFromOutside(t *testing.T) {
	for _, name := range []string{
		"SETUPTOOLS_SCM_PRETEND_VERSION", "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_SCM", "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_HATCH",
		"VCS_VERSIONING_PRETEND_VERSION", "PDM_BUILD_SCM_VERSION",
	} {
		t.Setenv(name, "9.9")
	}
	t.Setenv("SETUPTOOLS_SCM_OVERRIDES_FOR_SCM", "{fallback_version=\"9.8\", local_scheme=\"dirty-tag\"}")
	w := fromTags(t)
	for _, a := range build(t, w) {
		require.Equal(t, "1.4.0", a.Wheel, a.Package)
	}
	w = fromTags(t)
	var out bytes.Buffer
	err := newToolchain(t, w).Run(t.Context(), toolchain.Task{Dir: w.Root, Name: "show", Stdout: &out, Stderr: testWriter{t}})
	require.NoError(t, err)
	require.Equal(t, "1.4.0\n1.4.0\n1.4.0\n", out.String())
}

// TestVersionsOfTheManifest checks that versions in [package.build.config] env are used, because they are part of the sources.
func TestVersionsOfTheManifest(t *testing.T) {
	files := map[string]string{
		"a/pyproject.toml":     "[build-system]\nrequires = [\"setuptools>=70\", \"setuptools-scm>=8\"]\nbuild-backend = \"setuptools.build_meta\"\n[project]\nname = \"a\"\ndynamic = [\"version\"]\n[tool.setuptools_scm]\n",
		"a/src/a/__init__.py":  "",
		"a/pixi.toml":          "[package]\nname = \"a\"\nversion = \"2.5.0\"\n" + python + "[package.build.config.env]\nSETUPTOOLS_SCM_PRETEND_VERSION = \"2.5.0\"\n",
		"a/unrelated/file.txt": "",
	}
	t.Setenv("SETUPTOOLS_SCM_PRETEND_VERSION", "9.9")
	a := build(t, writeWorkspace(t, files))[0]
	require.Equal(t, "2.5.0", a.Wheel)
	require.Equal(t, "a-2.5.0-pyh4616a5c_0.conda", filepath.Base(a.Path))
}

// TestPathsAreText builds in folders with special shell characters in their names, and with manifest variables that could collide with ours.
func TestPathsAreText(t *testing.T) {
	files := map[string]string{
		"a/pyproject.toml":    "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n[project]\nname = \"a\"\nversion = \"1.0.0\"\n",
		"a/src/a/__init__.py": "",
		"a/pixi.toml": "[package]\nname = \"a\"\nversion = \"1.0.0\"\n" + python +
			"[package.build.config.env]\nSOURCE = \"elsewhere\"\nUV = \"false\"\nBUILD_PYTHON = \"false\"\nFINISH = \"x\"\nFINISH_NAMES = \"x\"\n",
	}
	plain := writeWorkspace(t, files)
	want := build(t, plain)[0].SHA256
	for _, name := range []string{"$HOME", "`touch made`", "$(touch made) it's", `a\b "c"`, "-x;touch made", "é é"} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), name)
			require.NoError(t, os.CopyFS(root, os.DirFS(plain.Root)))
			require.NoError(t, os.RemoveAll(filepath.Join(root, "output")))
			w, err := workspace.Load(root)
			require.NoError(t, err)
			require.Equal(t, want, build(t, w)[0].SHA256)
		})
	}
}

// TestRefusedPaths checks that names that rattler-build would misread are rejected before anything is installed.
func TestRefusedPaths(t *testing.T) {
	w := writeWorkspace(t, map[string]string{
		"a/pyproject.toml": "[build-system]\nrequires = [\"--target=made\"]\nbuild-backend = \"hatchling.build\"\n[project]\nname = \"a\"\nversion = \"1.0.0\"\n",
		"a/pixi.toml":      "[package]\nname = \"a\"\nversion = \"1.0.0\"\n" + python,
	})
	ask := func() error {
		_, err := newToolchain(t, w).Build(t.Context(), toolchain.Build{Workspace: w, Packages: w.Order(), Dir: filepath.Join(w.Root, "output"), SourceDate: sourceDate})
		return err
	}
	require.ErrorContains(t, ask(), "\"--target=made\" in the list `requires` is not a valid requirement (PEP 508): see [build-system] in the pyproject.toml of a")
	require.NoDirExists(t, "made")
	for _, name := range []string{"$HOME", "`touch made`", `a"b`, `a\b`, "a\nb"} {
		dir := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		t.Setenv("TMPDIR", dir)
		require.ErrorContains(t, ask(), "cannot build below "+dir+", because rattler-build writes this path into scripts")
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
		t.Setenv("TMPDIR", "")
	}
}
