package embedded_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// otherMinors returns the minor versions of Python on this machine that the toolchain's own tools do not support.
func otherMinors(t *testing.T) (others []string) {
	w := writeWorkspace(t, map[string]string{"a/pixi.toml": "[package]\nname = \"a\"\nversion = \"1\"\n" + python, "a/pyproject.toml": "[project]\nname = \"a\"\nversion = \"1\"\n"})
	tools, err := newToolchain(t, w).Python(t.Context())
	require.NoError(t, err)
	for _, minor := range []string{"3.11", "3.12", "3.13", "3.14"} {
		if strings.HasPrefix(tools.Version, minor+".") {
			continue
		}
		w := writeWorkspace(t, map[string]string{
			"a/pixi.toml":      "[package]\nname = \"a\"\nversion = \"1\"\n" + python + "[package.host-dependencies]\npython = \"" + minor + ".*\"\n",
			"a/pyproject.toml": "[project]\nname = \"a\"\nversion = \"1\"\n",
		})
		if err := newToolchain(t, w).Ready(t.Context()); err == nil {
			others = append(others, minor)
		} else {
			require.ErrorContains(t, err, "a/pixi.toml:")
		}
	}
	if len(others) == 0 {
		sentence := "this test builds and runs on a Python that is not the tools' own, and there is no other one: install one by `pyenv install 3.12` or `uv python install 3.12`"
		require.Empty(t, os.Getenv("CI"), sentence)
		t.Skip(sentence)
	}
	return others
}

// telling returns the files of a package whose metadata records which Python built it.
func telling(name, asks string, deps ...string) map[string]string {
	return map[string]string{
		name + "/pixi.toml": "[package]\nname = \"" + name + "\"\nversion = \"1.0.0\"\n" + python + strings.Join(deps, "\n") + "\n",
		name + "/pyproject.toml": "[project]\nname = \"" + name + "\"\nversion = \"1.0.0\"\ndynamic = [\"description\"]\n" + asks + "\n" +
			"[build-system]\nrequires = [\"setuptools>=70\"]\nbuild-backend = \"setuptools.build_meta\"\n",
		name + "/setup.py":                     "import sys\nfrom setuptools import setup\nsetup(description='built by %d.%d' % sys.version_info[:2])\n",
		name + "/src/" + name + "/__init__.py": "",
	}
}

func builtBy(t *testing.T, a toolchain.Artifact) string {
	archive, err := condapkg.Open(a.Path)
	require.NoError(t, err)
	defer archive.Close()
	data, err := archive.ReadFile(fmt.Sprintf("site-packages/%s-1.0.0.dist-info/METADATA", a.Package))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(data), "Summary: built by ")
	minor, _, _ := strings.Cut(rest, "\n")
	return minor
}

// TestAnotherPython uses a Python other than the one for the tools. It builds packages, runs a task, and installs the built packages into an
// environment together with a package that accepts any Python.
func TestAnotherPython(t *testing.T) {
	minor := otherMinors(t)[0]
	files := telling("strict", "requires-python = \"=="+minor+".*\"")
	for k, v := range telling("hosted", "", "[package.host-dependencies]\npython = \""+minor+".*\"") {
		files[k] = v
	}
	for k, v := range telling("free", "") {
		files[k] = v
	}
	show := "[tasks]\nshow = \"python -c 'import sys; print(sys.version_info[:2], sys.prefix != sys.base_prefix)'\"\n"
	files["pixi.toml"] = "[dependencies]\nstrict = { path = \"strict\" }\n[feature.asks.dependencies]\npython = \"" + minor + ".*\"\n" +
		"[environments]\nasks = { features = [\"asks\"], no-default-feature = true }\n" +
		show + strings.Replace(show, "[tasks]", "[feature.asks.tasks]", 1)
	w := writeWorkspace(t, files)
	require.NoError(t, newToolchain(t, w).Ready(t.Context()))

	by, archives := map[string]string{}, map[string]string{}
	for _, a := range build(t, w) {
		by[a.Package], archives[a.Package] = builtBy(t, a), a.Path
	}
	require.Equal(t, minor, by["strict"])
	require.Equal(t, minor, by["hosted"])
	require.NotEmpty(t, by["free"])

	is := fmt.Sprintf("(3, %s) True\n", strings.TrimPrefix(minor, "3."))
	tools := newToolchain(t, w)
	for _, environment := range []string{"default", "asks"} {
		var out bytes.Buffer
		err := tools.Run(t.Context(), toolchain.Task{Dir: w.Root, Name: "show", Environment: environment, Stdout: &out, Stderr: testWriter{t}})
		require.NoError(t, err)
		require.Equal(t, is, out.String(), environment)
	}

	env, err := tools.Install(t.Context(), toolchain.Install{Dir: filepath.Join(t.TempDir(), "env"), Artifacts: []string{archives["free"], archives["strict"]}})
	require.NoError(t, err)
	out, err := command.Output(t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{
		Name: env.Python,
		Args: []string{"-I", "-c", "import sys, free, strict; print(sys.version_info[:2], sys.prefix != sys.base_prefix)"},
	})
	require.NoError(t, err)
	require.Equal(t, is, out+"\n")
}

// TestAnEnvironmentFollowsItsPython checks that the environment is recreated if its Python requirement changes.
func TestAnEnvironmentFollowsItsPython(t *testing.T) {
	minor := otherMinors(t)[0]
	root := ""
	show := func(spec string) string {
		manifest := "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\", \"linux-aarch64\", \"osx-64\", \"osx-arm64\"]\n[dependencies]\npython = \"" + spec + "\"\n[tasks]\nshow = \"python -V\"\n"
		if root == "" {
			root = t.TempDir()
		}
		require.NoError(t, os.WriteFile(filepath.Join(root, "pixi.toml"), []byte(manifest), 0o644))
		w, err := workspace.Load(root)
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, newToolchain(t, w).Run(t.Context(), toolchain.Task{Dir: w.Root, Name: "show", Stdout: &out, Stderr: testWriter{t}}))
		return out.String()
	}
	newest := show("*")
	require.Contains(t, show(minor+".*"), "Python "+minor+".")
	require.Equal(t, newest, show(">=3.11"))
}

// TestSameBytesFromAnotherPython builds the golden packages with two versions of Python and compares the results.
func TestSameBytesFromAnotherPython(t *testing.T) {
	minor := otherMinors(t)[0]
	first := build(t, goldenWorkspace(t))
	w := goldenWorkspace(t)
	for _, p := range w.Packages {
		path := filepath.Join(w.Root, filepath.FromSlash(p.Manifest))
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		asks := "[package.host-dependencies]\npython = \"" + minor + ".*\"\n"
		if strings.Contains(string(text), "[package.host-dependencies]\n") {
			text = []byte(strings.Replace(string(text), "[package.host-dependencies]\n", asks, 1))
		} else {
			text = append(text, "\n"+asks...)
		}
		require.NoError(t, os.WriteFile(path, text, 0o644))
	}
	w, err := workspace.Load(w.Root)
	require.NoError(t, err)
	require.NoError(t, newToolchain(t, w).Ready(t.Context()))
	for i, a := range build(t, w) {
		require.Equal(t, first[i].SHA256, a.SHA256, a.Package)
	}
}

// TestNoPythonFits checks the error if no Python satisfies the requirements, and that a build, a task and Ready return it before anything is
// built. Requirements for other platforms are ignored.
func TestNoPythonFits(t *testing.T) {
	lib := func(requires, tables string) map[string]string {
		return map[string]string{
			"lib/pixi.toml":      "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n" + python + tables,
			"lib/pyproject.toml": "[project]\nname = \"lib\"\nversion = \"1.0.0\"\n" + requires,
		}
	}
	for _, c := range []struct{ name, requires, tables, at, asks string }{
		{"requires-python", "requires-python = \">=3.99\"\n", "", "lib/pyproject.toml:4:1", ">=3.99"},
		{"poetry", "[tool.poetry.dependencies]\npython = \"^4.0\"\n", "", "lib/pyproject.toml:5:1", "^4.0"},
		{"run", "", "[package.run-dependencies]\npython = \"<3.0\"\n", "lib/pixi.toml:7:1", "<3.0"},
		{"host", "", "[package.host-dependencies]\npython = \"3.99.*\"\n", "lib/pixi.toml:7:1", "3.99.*"},
		{"build", "", "[package.build-dependencies]\nPython = { version = \"=3.10.0\" }\n", "lib/pixi.toml:7:1", "=3.10.0"},
		{"constraint", "", "[package.run-constraints]\npython = \"<3.11\"\n", "lib/pixi.toml:7:1", "<3.11"},
		{"of this platform", "", "[package.run-dependencies.\"if(unix)\"]\npython = \">=3.15\"\n", "lib/pixi.toml:7:1", ">=3.15"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := writeWorkspace(t, lib(c.requires, c.tables))
			says := c.at + " asks for Python " + c.asks + ", but the embedded toolchain supports 3.11 to 3.14; installed: "
			require.ErrorContains(t, newToolchain(t, w).Ready(t.Context()), says)
			_, err := newToolchain(t, w).Build(t.Context(), toolchain.Build{
				Workspace:  w,
				Packages:   w.Order(),
				Dir:        filepath.Join(w.Root, "output"),
				SourceDate: sourceDate,
				Log:        io.Discard,
			})
			require.ErrorContains(t, err, "building lib: "+says)
			require.NoDirExists(t, filepath.Join(w.Root, "output"))
		})
	}
	t.Run("of another platform", func(t *testing.T) {
		w := writeWorkspace(t, lib("", "[package.run-dependencies.\"if(win)\"]\npython = \">=3.15\"\n[package.target.win.host-dependencies]\npython = \"<3\"\n"))
		require.NoError(t, newToolchain(t, w).Ready(t.Context()))
	})
}

// TestTogether installs packages with conflicting Python requirements into one environment and checks that the error has both positions. Each
// package can still be built, and build requirements on Python are irrelevant in the environment.
func TestTogether(t *testing.T) {
	files := map[string]string{
		"pixi.toml":           "[feature.dev.dependencies]\nold = { path = \"old\" }\nnew = { path = \"new\" }\n[environments]\ndev = [\"dev\"]\n[feature.dev.tasks]\nshow = \"python -V\"\n",
		"old/pixi.toml":       "[package]\nname = \"old\"\nversion = \"1.0.0\"\n" + python + "[package.run-dependencies]\npython = \"<3.12\"\n",
		"old/pyproject.toml":  "[project]\nname = \"old\"\nversion = \"1.0.0\"\n",
		"new/pixi.toml":       "[package]\nname = \"new\"\nversion = \"1.0.0\"\n" + python,
		"new/pyproject.toml":  "[project]\nname = \"new\"\nversion = \"1.0.0\"\nrequires-python = \">=3.12\"\n",
		"site/pixi.toml":      "[workspace]\nname = \"site\"\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = [\"linux-64\"]\n[dependencies]\nnew = \"==1.0.0\"\n[tasks]\nshow = \"python -V\"\n",
		"site/pyproject.toml": "[project]\nname = \"site\"\nversion = \"1.0.0\"\nrequires-python = \">=3.11,<3.12\"\n",
	}
	w := writeWorkspace(t, files)
	tools := newToolchain(t, w)
	show := func(dir string) error {
		return tools.Run(t.Context(), toolchain.Task{Dir: filepath.Join(w.Root, dir), Name: "show", Stdout: io.Discard, Stderr: testWriter{t}})
	}
	err := show("")
	require.ErrorContains(t, err, "the environment dev of pixi.toml: no Python from 3.11 to 3.14 meets all requirements")
	require.ErrorContains(t, err, "old/pixi.toml:7:1 asks for Python <3.12")
	require.ErrorContains(t, err, "new/pyproject.toml:4:1 asks for Python >=3.12")
	require.NoDirExists(t, filepath.Join(w.Root, ".pixi", "embedded", "dev"))

	err = show("site")
	require.ErrorContains(t, err, "the environment default of site/pixi.toml: ")
	require.ErrorContains(t, err, "site/pyproject.toml:4:1 asks for Python >=3.11,<3.12")
	require.ErrorContains(t, err, "new/pyproject.toml:4:1 asks for Python >=3.12")

	require.ErrorContains(t, tools.Ready(t.Context()), "installing all packages together: no Python from 3.11 to 3.14 meets all requirements")
	uses, err := tools.Uses(t.Context())
	require.NoError(t, err)
	var none []string
	for _, u := range uses {
		if u.Err != nil {
			none = append(none, u.String())
		}
	}
	require.Contains(t, none, "the environment dev of pixi.toml")
	require.Contains(t, none, "the environment default of site/pixi.toml")
	require.Contains(t, none, "installing all packages together")
	require.NotContains(t, none, "the environment default of pixi.toml")
}

// TestConflictingBuildRequirements builds two packages with conflicting build requirements on Python. They can be installed into one environment,
// where build requirements are irrelevant.
func TestConflictingBuildRequirements(t *testing.T) {
	minor := otherMinors(t)[0]
	files := telling("apart", "", "[package.host-dependencies]\npython = \""+minor+".*\"")
	for k, v := range telling("rest", "", "[package.host-dependencies]\npython = \"!="+minor+".*\"") {
		files[k] = v
	}
	files["pixi.toml"] = "[dependencies]\napart = { path = \"apart\" }\nrest = { path = \"rest\" }\n[tasks]\nshow = \"python -c 'import apart, rest; print(1)'\"\n"
	w := writeWorkspace(t, files)
	tools := newToolchain(t, w)
	require.NoError(t, tools.Ready(t.Context()))
	for _, a := range build(t, w) {
		if a.Package == "apart" {
			require.Equal(t, minor, builtBy(t, a))
		} else {
			require.NotEqual(t, minor, builtBy(t, a))
		}
	}
	var out bytes.Buffer
	require.NoError(t, tools.Run(t.Context(), toolchain.Task{Dir: w.Root, Name: "show", Stdout: &out, Stderr: testWriter{t}}))
	require.Equal(t, "1\n", out.String())
}

// noting records the environment of every program that it runs.
type noting struct {
	command.Runner
	mu   sync.Mutex
	seen map[string][]string // values of UV_PYTHON_DOWNLOADS by base name; "-" if not set
}

func (n *noting) Run(ctx context.Context, c command.Cmd) error {
	value, set := command.Getenv(c.Env, "UV_PYTHON_DOWNLOADS")
	if !set {
		value = "-"
	}
	name := filepath.Base(c.Name)
	if len(c.Args) > 1 {
		name = strings.TrimSuffix(name+" "+filepath.Base(c.Args[1]), " venv")
	}
	n.mu.Lock()
	n.seen[name] = append(n.seen[name], value)
	n.mu.Unlock()
	return n.Runner.Run(ctx, c)
}

// TestNothingIsDownloadedUnasked runs a task, a build and an installation, and checks that uv may not download an interpreter unless the user
// allows it. The task itself may.
func TestNothingIsDownloadedUnasked(t *testing.T) {
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	for set, want := range map[string]string{"": "never", "manual": "manual", "automatic": "automatic"} {
		files := telling("asked", "", "[package.run-dependencies]\npackaging = \">=24\"")
		files["pixi.toml"] = "[dependencies]\nasked = { path = \"asked\" }\n[tasks]\nshow = \"python -c pass\"\n"
		w := writeWorkspace(t, files)
		env := command.Unset(os.Environ(), "UV_PYTHON_DOWNLOADS")
		if set != "" {
			env = command.Setenv(env, "UV_PYTHON_DOWNLOADS="+set)
		}
		runner := &noting{Runner: command.NewSystem(env, nil), seen: map[string][]string{}}
		tools := embedded.New(embedded.Config{Runner: runner, Environ: env, Cache: filepath.Join(cache, "pixi-release"), Workspace: w, Log: testWriter{t}})
		require.NoError(t, tools.Run(t.Context(), toolchain.Task{Dir: w.Root, Name: "show", Stdout: io.Discard, Stderr: testWriter{t}}))
		artifacts, err := tools.Build(t.Context(), toolchain.Build{
			Workspace:  w,
			Packages:   w.Order(),
			Dir:        filepath.Join(w.Root, "output"),
			SourceDate: sourceDate,
			Log:        io.Discard,
		})
		require.NoError(t, err)
		_, err = tools.Install(t.Context(), toolchain.Install{Dir: filepath.Join(t.TempDir(), "env"), Artifacts: []string{artifacts[0].Path}})
		require.NoError(t, err)
		checked := 0
		for name, values := range runner.seen {
			if !strings.HasPrefix(name, "uv") && !strings.HasSuffix(name, " build.py") {
				continue
			}
			for _, v := range values {
				require.Equal(t, want, v, name)
				checked++
			}
		}
		require.GreaterOrEqual(t, checked, 6, runner.seen)
		if set == "" {
			require.Contains(t, runner.seen["python pass"], "-")
		}
	}
}

// TestAsksOfAFolder checks that the requirements in the pyproject.toml of a path dependency are used, whether it is editable or not.
func TestAsksOfAFolder(t *testing.T) {
	for _, editable := range []string{"true", "false"} {
		w := writeWorkspace(t, map[string]string{
			"pixi.toml":           "[pypi-dependencies]\nside = { path = \"side\", editable = " + editable + " }\n[tasks]\nshow = \"python -V\"\n",
			"side/pyproject.toml": "[project]\nname = \"side\"\nversion = \"1.0.0\"\nrequires-python = \">=3.99\"\n",
		})
		err := newToolchain(t, w).Run(t.Context(), toolchain.Task{Dir: w.Root, Name: "show", Stdout: io.Discard, Stderr: testWriter{t}})
		require.ErrorContains(t, err, "the environment default of pixi.toml: side/pyproject.toml:4:1 asks for Python >=3.99")
	}
}

// TestAsksOfAnArtifact checks that the Python requirement of an artifact from the channel applies to its environment, and that the error names the
// artifact.
func TestAsksOfAnArtifact(t *testing.T) {
	own, err := newToolchain(t, writeWorkspace(t, map[string]string{})).Python(t.Context())
	require.NoError(t, err)
	minor := own.Version[:strings.LastIndexByte(own.Version, '.')]
	built := build(t, writeWorkspace(t, telling("old", "requires-python = \"=="+minor+".*\"")))[0]

	files := map[string]string{}
	for k, v := range telling("old", "") {
		files[k] = strings.Replace(v, "1.0.0", "2.0.0", 1)
	}
	files["site/pixi.toml"] = "[workspace]\nname = \"site\"\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = [\"linux-64\"]\n" +
		"[dependencies]\nold = \"==1.0.0\"\npython = \"!=" + minor + ".*\"\n[tasks]\nshow = \"python -V\"\n"
	w := writeWorkspace(t, files)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	tools := embedded.New(embedded.Config{
		Runner:    command.NewSystem(os.Environ(), nil),
		Environ:   os.Environ(),
		Cache:     filepath.Join(cache, "pixi-release"),
		Workspace: w,
		Published: func(context.Context, embedded.Wanted) (string, error) { return built.Path, nil },
	})
	err = tools.Run(t.Context(), toolchain.Task{Dir: filepath.Join(w.Root, "site"), Name: "show", Stdout: io.Discard, Stderr: testWriter{t}})
	require.ErrorContains(t, err, "the environment default of site/pixi.toml: no Python from 3.11 to 3.14 meets all requirements: ")
	require.ErrorContains(t, err, "site/pixi.toml:7:1 asks for Python !="+minor+".*")
	require.ErrorContains(t, err, filepath.Base(built.Path)+" asks for Python "+minor+".*")

	// An environment with only the artifact can be created.
	env, err := tools.Install(t.Context(), toolchain.Install{Dir: filepath.Join(t.TempDir(), "env"), Artifacts: []string{built.Path}})
	require.NoError(t, err)
	out, err := command.Output(t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{Name: env.Python, Args: []string{"-V"}})
	require.NoError(t, err)
	require.Contains(t, out, "Python "+minor+".")
}
