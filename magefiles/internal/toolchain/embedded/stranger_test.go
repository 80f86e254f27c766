package embedded_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pypitest"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/condanames"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// backend is a build backend in the source folder, so that builds do not need an index.
const backend = `import pathlib, tomllib, zipfile
MODULE = pathlib.Path.cwd().name
NAME = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]["name"]
def build_wheel(folder, settings=None, metadata=None):
    info = f"{NAME.lower()}-1.0.0.dist-info/"
    file = f"{NAME.lower()}-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / file, "w") as z:
        z.writestr(f"{MODULE}.py", "")
        z.writestr(info + "METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0.0\n")
        z.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(info + "RECORD", "")
    return file
`

const inTree = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n"

// addPackage adds a package to the files of a workspace.
func addPackage(files map[string]string, name, run, project string) {
	files[name+"/pixi.toml"] = "[package]\nname = \"" + name + "\"\nversion = \"1.0.0\"\n" + python + "[package.run-dependencies]\n" + run
	files[name+"/pyproject.toml"] = inTree + "[project]\nname = \"" + name + "\"\nversion = \"1.0.0\"\n" + project
	files[name+"/backend.py"] = backend
}

// withIndex returns a toolchain with an index that has every project. The programs in a folder are first on PATH.
func withIndex(t *testing.T, w *workspace.Workspace, log *bytes.Buffer, programs string) (*embedded.Toolchain, *pypitest.Index) {
	index := pypitest.Start(t)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	env := command.Setenv(os.Environ(), index.Environ(t)...)
	if programs != "" {
		env = command.Setenv(env, "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	return embedded.New(embedded.Config{
		Runner:    command.NewSystem(env, nil),
		Environ:   env,
		Cache:     filepath.Join(cache, "pixi-release"),
		Workspace: w,
		Log:       log,
	}), index
}

// task runs the task "show" of the manifest in dir.
func task(t *testing.T, tools *embedded.Toolchain, w *workspace.Workspace, dir string) (string, error) {
	var out bytes.Buffer
	err := tools.Run(t.Context(), toolchain.Task{Dir: filepath.Join(w.Root, dir), Name: "show", Stdout: &out, Stderr: testWriter{t}})
	return out.String(), err
}

// programIn writes a program to a new folder, and returns the folder.
func programIn(t *testing.T, name, script string) string {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	return dir
}

// sixty reads the list in testdata, which was written by hand.
func sixty(t *testing.T) (names []string, projects map[string]string) {
	data, err := os.ReadFile("testdata/sixty.txt")
	require.NoError(t, err)
	projects = map[string]string{}
	for line := range strings.Lines(string(data)) {
		if name, project, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			names, projects[name] = append(names, name), project
		}
	}
	require.Len(t, names, 60)
	return names, projects
}

// TestSixtyNames installs a workspace with twenty packages, ten different requires-python and sixty conda names from public manifests. The index
// has a project for every name. Names that are not confirmed for PyPI are rejected. With a line in the settings for each of them, only the right
// projects are requested from the index.
func TestSixtyNames(t *testing.T) {
	names, projects := sixty(t)
	pythons := []string{">=3.11", ">=3.10", ">=3.9", ">=3.8", ">=3.7,<4", ">=3.6", ">=3", ">=3.11,!=3.11.0", ">=3.5", ">=3.9.2"}
	files := map[string]string{"pixi.toml": "[tasks]\nshow = \"python -c 'import torch, ruamel_yaml, part_19'\"\n[dependencies]\n"}
	for i := range 20 {
		run := ""
		for _, name := range names[i*3 : i*3+3] {
			run += fmt.Sprintf("%q = \"*\"\n", name)
		}
		name := fmt.Sprintf("part_%d", i)
		addPackage(files, name, run, fmt.Sprintf("requires-python = %q\n", pythons[i%len(pythons)]))
		files["pixi.toml"] += fmt.Sprintf("%s = { path = %q }\n", name, name)
	}
	root := files["pixi.toml"]
	w := writeWorkspace(t, files)
	tools, index := withIndex(t, w, &bytes.Buffer{}, "")
	_, err := task(t, tools, w, "")
	require.ErrorContains(t, err, "cannot install 4 conda packages from PyPI: age, cmake, nodejs, taplo")
	require.Empty(t, index.Asked())
	require.NoDirExists(t, filepath.Join(w.Root, ".pixi"))

	files["pixi.toml"] = root + "[tool.release.pypi]\nage = \"pyrage\"\nnodejs = { program = \"node\" }\ncmake = false\ntaplo = false\n"
	w = writeWorkspace(t, files)
	tools, index = withIndex(t, w, &bytes.Buffer{}, programIn(t, "node", "echo v22.1.0"))
	_, err = task(t, tools, w, "")
	require.NoError(t, err)
	want := []string{"pyrage"}
	for _, project := range projects {
		if project != "-" {
			want = append(want, project)
		}
	}
	require.GreaterOrEqual(t, len(want)-1, 55)
	slices.Sort(want)
	require.Equal(t, want, index.Asked())
}

// TestAllRefusedNamesInOneError checks that one error reports all names that cannot be installed, in all environments that a task needs, with their
// positions and a next step. Nothing is installed.
func TestAllRefusedNamesInOneError(t *testing.T) {
	files := map[string]string{"pixi.toml": `[dependencies]
lib = { path = "lib" }
age = ">=1.2"
[feature.docs.dependencies]
my-theme = "*"
scikit-lern = "*"
outside = { path = "../outside" }
private = { version = "*", channel = "https://prefix.dev/ours" }
numpy = { version = "*", channel = "https://prefix.dev/ours" }
[environments]
docs = ["docs"]
[tasks]
show = { cmd = "python -V", depends-on = [{ task = "other", environment = "docs" }] }
[feature.docs.tasks]
other = "python -V"
[tool.release.pypi]
my-themes = "sphinx-my-theme"
node = { program = "no-such-program" }
`}
	addPackage(files, "lib", "age = \"*\"\nnode = \"*\"\nnumpy = \"*\"\nxarray = \"==1|==2\"\n", "")
	w := writeWorkspace(t, files)
	tools, index := withIndex(t, w, &bytes.Buffer{}, "")
	_, err := task(t, tools, w, "")
	var told *operr.Error
	require.ErrorAs(t, err, &told)
	require.Contains(t, told.Summary, "cannot install 8 conda packages from PyPI: age, my-theme, node, numpy, outside, private, scikit-lern, xarray")
	for _, line := range []string{
		"age (lib/pixi.toml:7:1, pixi.toml:8:1): it is on conda only (the table of conda-forge's names)",
		`age = { program = "age" }, for a program on PATH; age = false, to leave the package out`,
		"my-theme (pixi.toml:10:1): the table of conda-forge's names does not have this name, and no pyproject.toml beside the manifest requires the project (did you mean my-themes of [tool.release.pypi]?)",
		`my-theme = "my-theme", if this is the project on PyPI`,
		"scikit-lern (pixi.toml:11:1): the table of conda-forge's names does not have this name, and no pyproject.toml beside the manifest requires the project (did you mean scikit-learn?)",
		"outside (pixi.toml:12:1): its sources are in ../outside, which is not a package of this workspace",
		"private (pixi.toml:13:1): it comes from the channel https://prefix.dev/ours",
		"numpy (pixi.toml:14:1): it comes from the channel https://prefix.dev/ours",
		"node (lib/pixi.toml:8:1): [tool.release.pypi] (pixi.toml:23:1) maps the package to the program no-such-program, which is not on PATH",
		`xarray (lib/pixi.toml:10:1): PEP 440 has no equivalent of "==1|==2"`,
	} {
		require.Contains(t, told.Detail, line)
	}
	require.Contains(t, told.Next, "[tool.release.pypi] of pixi.toml")
	require.Contains(t, told.Next, "PIPELINE_TOOLCHAIN=pixi")
	require.Empty(t, index.Asked())
	require.NoDirExists(t, filepath.Join(w.Root, ".pixi"))
}

// TestWhoSays checks that a line in the settings takes precedence over the pyproject.toml next to a requirement, and that a pyproject.toml
// applies only to its own manifest.
func TestWhoSays(t *testing.T) {
	files := map[string]string{"pixi.toml": `[dependencies]
lib = { path = "lib" }
numpy = ">=1.2"
[tasks]
show = "python -c 'import age, my_own, torch_nightly, backend_x, odd_thing'"
[tool.release.pypi]
PyTorch = "torch-nightly"
`}
	addPackage(files, "lib", "age = \"*\"\nmy_own = \">=2\"\npytorch = \"2.5.*\"\nbackend-x = \"*\"\nodd.thing = { version = \"*\", channel = \"ours\" }\n",
		"dependencies = [\"Age>=1\", \"my.own\", \"torch\", \"odd-thing\"]\n[project.optional-dependencies]\nx = [\"backend_x\"]\n")
	files["lib/pixi.toml"] = strings.Replace(files["lib/pixi.toml"], "odd.thing", `"odd.thing"`, 1)
	w := writeWorkspace(t, files)
	tools, index := withIndex(t, w, &bytes.Buffer{}, "")
	_, err := task(t, tools, w, "")
	require.NoError(t, err)
	require.Equal(t, []string{"age", "backend-x", "my-own", "numpy", "odd-thing", "torch-nightly"}, index.Asked())

	files["pixi.toml"] = strings.Replace(files["pixi.toml"], "numpy", "my_own", 1)
	w = writeWorkspace(t, files)
	tools, index = withIndex(t, w, &bytes.Buffer{}, "")
	_, err = task(t, tools, w, "")
	require.ErrorContains(t, err, "pixi.toml:8:1: the embedded toolchain cannot install my_own >=1.2 from PyPI: the table of conda-forge's names does not have this name, and no pyproject.toml")
	require.Empty(t, index.Asked())
}

// TestOwnPackagesAreNotRequestedFromPyPI checks that the workspace's own packages are never requested from PyPI, where their names may belong to
// someone else.
func TestOwnPackagesAreNotRequestedFromPyPI(t *testing.T) {
	files := map[string]string{"pyproject.toml": `[project]
name = "w"
version = "1"
dependencies = ["base==1.0.0", "lib-project", "numpy", "edited"]
[tool.pixi.workspace]
name = "w"
channels = []
platforms = ["linux-64"]
preview = ["pixi-build"]
[tool.pixi.dependencies]
other-name = { path = "lib" }
[tool.pixi.pypi-dependencies]
edited = { path = "edited", editable = false }
[tool.pixi.tasks]
show = "python -c 'import lib, base, edited'"
`}
	addPackage(files, "base", "", "")
	addPackage(files, "edited", "", "")
	addPackage(files, "lib", "base = \"==1.0.0\"\n", "dependencies = [\"base==1.0.0\"]\n")
	files["lib/pyproject.toml"] = strings.Replace(files["lib/pyproject.toml"], "name = \"lib\"", "name = \"Lib_Project\"", 1)
	w := writeProject(t, files)
	tools, index := withIndex(t, w, &bytes.Buffer{}, "")
	_, err := task(t, tools, w, "")
	require.NoError(t, err)
	require.Equal(t, []string{"numpy"}, index.Asked())

	// This also holds for the PyPI name in a pyproject.toml.
	files["base/pixi.toml"] += "lib_project = \"*\"\n"
	files["base/pyproject.toml"] += "dependencies = [\"lib-project\"]\n"
	w = writeProject(t, files)
	tools, index = withIndex(t, w, &bytes.Buffer{}, "")
	_, err = task(t, tools, w, "")
	require.ErrorContains(t, err, "base/pixi.toml:7:1: the embedded toolchain cannot install lib_project from PyPI: lib-project is a project of this workspace with the conda name lib")
	require.Empty(t, index.Asked())

	// It also holds for a package that is used as a build backend.
	files["edited/pyproject.toml"] = strings.Replace(files["edited/pyproject.toml"], "requires = []", "requires = [\"LIB-project>=1\"]", 1)
	root := files["pyproject.toml"]
	for _, conda := range []string{"other-name = { path = \"base\" }", "edited = { path = \"edited\" }"} { // required by [pypi-dependencies], and by both tables
		files["pyproject.toml"] = strings.Replace(root, "other-name = { path = \"lib\" }", conda, 1)
		w = writeProject(t, files)
		tools, index = withIndex(t, w, &bytes.Buffer{}, "")
		_, err = task(t, tools, w, "")
		require.ErrorContains(t, err, "edited/pyproject.toml:2:")
		require.ErrorContains(t, err, "cannot build edited: its build backend is lib, a package of this workspace")
	}
	_, err = tools.Build(t.Context(), toolchain.Build{Workspace: w, Packages: w.Order(), Dir: filepath.Join(w.Root, "output"), SourceDate: sourceDate})
	require.ErrorContains(t, err, "its build backend is lib, a package of this workspace")
	require.Empty(t, index.Asked())
}

// writeProject is like writeWorkspace, for a root manifest that is a pyproject.toml.
func writeProject(t *testing.T, files map[string]string) *workspace.Workspace {
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	return w
}

// TestVerifyInstallsOnlyDependencies installs artifacts, as when verifying a release. Their depends are conda names.
func TestVerifyInstallsOnlyDependencies(t *testing.T) {
	files := map[string]string{"pixi.toml": "[tool.release.pypi]\nnodejs = { program = \"node\" }\nmake = false\n"}
	addPackage(files, "base", "", "")
	addPackage(files, "lib", "base = \"==1.0.0\"\nown-thing = \"*\"\nage = \"*\"\n", "dependencies = [\"own-thing\"]\n")
	w := writeWorkspace(t, files)
	install := func(depends ...string) ([]string, string, error) {
		dir, log := t.TempDir(), &bytes.Buffer{}
		path := filepath.Join(dir, "lib-1.0.0-pyh4616a5c_0.conda")
		f, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, condapkg.Write(f, condapkgtest.Package{Name: "lib", Version: "1.0.0", Depends: depends}.Container()))
		require.NoError(t, f.Close())
		tools, index := withIndex(t, w, log, programIn(t, "node", "echo v22.1.0; echo more"))
		_, err = tools.Install(t.Context(), toolchain.Install{Dir: filepath.Join(dir, "env"), Artifacts: []string{path}})
		return index.Asked(), log.String(), err
	}
	asked, log, err := install("python >=3.11", "__unix", "matplotlib-base >=3", "own-thing", "pytorch[version='>=2']", "nodejs >=20", "make", "conda-forge::msgpack-python 1.*")
	require.NoError(t, err)
	require.Equal(t, []string{"matplotlib", "msgpack", "own-thing", "torch"}, asked)
	require.Contains(t, log, "instead of nodejs >=20, the program node on PATH is used: ")
	require.Contains(t, log, "/node, v22.1.0\n")

	for depend, says := range map[string]string{
		"age >=1":            "lib/pixi.toml:9:1: the embedded toolchain cannot install age >=1 from PyPI: it is on conda only",
		"gone-thing":         "lib-1.0.0-pyh4616a5c_0.conda: the embedded toolchain cannot install gone-thing from PyPI: the table of conda-forge's names does not have this name, and lib/pyproject.toml does not require the project",
		"base ==1.0.0":       "lib-1.0.0-pyh4616a5c_0.conda depends on base ==1.0.0, which is a package of this workspace",
		"numpy 1.26.0 py_0":  "cannot install numpy ==1.26.0 from PyPI: the requirement names a conda build",
		"nvidia-apex":        "it is on conda only (the corrections of the table: the package calls itself apex, but apex on PyPI is another project)",
		"python_abi 3.11.*":  "cannot install python_abi 3.11.* from PyPI: it is on conda only",
		"pillow 10.0.*|11.*": "PEP 440 has no equivalent of",
	} {
		asked, _, err := install("numpy", depend)
		require.ErrorContains(t, err, says, depend)
		require.Empty(t, asked, depend)
	}
}

// TestDownstreamWithArchiveAndSources checks a downstream with its own pyproject.toml that uses both an archive and sources.
func TestDownstreamWithArchiveAndSources(t *testing.T) {
	files := map[string]string{
		"site/pixi.toml":      "[workspace]\nname = \"site\"\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = [\"linux-64\"]\n[dependencies]\nlib = \"==1.0.0\"\nage = \"*\"\npytables = \"*\"\n[tasks]\nshow = \"python -c 'import age, tables'\"\n",
		"site/pyproject.toml": "[project]\nname = \"site\"\ndependencies = [\"age\"]\n",
	}
	addPackage(files, "lib", "", "")
	w := writeWorkspace(t, files)
	tools, index := withIndex(t, w, &bytes.Buffer{}, "")
	_, err := task(t, tools, w, "site")
	require.NoError(t, err)
	require.Equal(t, []string{"age", "tables"}, index.Asked())

	delete(files, "site/pyproject.toml")
	w = writeWorkspace(t, files)
	tools, index = withIndex(t, w, &bytes.Buffer{}, "")
	_, err = task(t, tools, w, "site")
	require.ErrorContains(t, err, "site/pixi.toml:7:1: the embedded toolchain cannot install age")
	require.Empty(t, index.Asked())
}

// TestArchiveBesideSources uses a version from the channel that depends on a sibling from source. The sibling is installed and not requested from
// PyPI.
func TestArchiveBesideSources(t *testing.T) {
	files := map[string]string{
		"site/pixi.toml": "[workspace]\nname = \"site\"\nchannels = []\nplatforms = [\"linux-64\"]\n[dependencies]\ntop = \"==0.9.0\"\n[tasks]\nshow = \"python -c 'import base, pandas'\"\n",
	}
	addPackage(files, "base", "", "")
	addPackage(files, "top", "base = \"==1.0.0\"\n", "")
	w := writeWorkspace(t, files)
	index := pypitest.Start(t)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	env := command.Setenv(os.Environ(), index.Environ(t)...)
	for _, depends := range [][]string{{"base ==1.0.0", "pandas"}, {"base >=0.5", "pandas"}, {"base", "pandas"}} {
		path := filepath.Join(t.TempDir(), "top-0.9.0-pyh4616a5c_0.conda")
		f, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, condapkg.Write(f, condapkgtest.Package{Name: "top", Version: "0.9.0", Depends: depends}.Container()))
		require.NoError(t, f.Close())
		tools := embedded.New(embedded.Config{
			Runner:    command.NewSystem(env, nil),
			Environ:   env,
			Cache:     filepath.Join(cache, "pixi-release"),
			Workspace: w,
			Published: func(context.Context, embedded.Wanted) (string, error) { return path, nil },
		})
		_, err = task(t, tools, w, "site")
		require.NoError(t, err)
		require.Equal(t, []string{"pandas"}, index.Asked())
	}
}

// TestOurOwnNames checks that all names in the manifests of this repository are resolved without a line in the settings.
func TestOurOwnNames(t *testing.T) {
	w, err := workspace.Load("../../../..")
	require.NoError(t, err)
	require.Empty(t, w.Config.PyPI)
	names := condanames.List(w)
	require.Greater(t, len(names), 10)
	for _, n := range names {
		require.True(t, n.Answer.Known(), "%s: %s", n.Name, n.Answer.Why)
	}
	require.NoError(t, toolchain.Foresee(newToolchain(t, w), w.Packages))
}

// TestForeseen checks that problems of a later verification are reported before anything is uploaded.
func TestForeseen(t *testing.T) {
	files := map[string]string{}
	addPackage(files, "base", "", "")
	addPackage(files, "lib", "base = \"==1.0.0\"\npython = \"*\"\nnumpy = \"*\"\nage = \"*\"\n", "")
	w := writeWorkspace(t, files)
	require.ErrorContains(t, toolchain.Foresee(newToolchain(t, w), w.Packages), "lib/pixi.toml:10:1: the embedded toolchain cannot install age from PyPI")
	require.NoError(t, toolchain.Foresee(newToolchain(t, w), w.Packages[:1]))
}
