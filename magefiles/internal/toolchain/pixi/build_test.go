package pixi_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// golden loads the recorded workspace, reduced to the named packages.
func golden(t *testing.T, names ...string) *workspace.Workspace {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.CopyFS(root, os.DirFS("../testdata/golden")))
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() && !strings.Contains(" "+strings.Join(names, " ")+" ", " "+e.Name()+" ") {
			require.NoError(t, os.RemoveAll(filepath.Join(root, e.Name())))
		}
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	return w
}

// request returns a request for the named packages, in workspace order.
func request(t *testing.T, w *workspace.Workspace, names ...string) toolchain.Build {
	t.Helper()
	b := toolchain.Build{Workspace: w, Dir: filepath.Join(w.Root, "output"), Log: &bytes.Buffer{}}
	for _, p := range w.Order() {
		for _, n := range names {
			if p.Name == n {
				b.Packages = append(b.Packages, p)
			}
		}
	}
	require.Len(t, b.Packages, len(names))
	return b
}

func archives(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".conda") {
			names = append(names, e.Name())
		}
	}
	return names
}

// publishes returns the `pixi publish` calls, with temporary folders replaced.
func publishes(s *pixitest.Standin) []string {
	var out []string
	for _, c := range s.Calls() {
		if c.Args[0] != "publish" {
			continue
		}
		for i, a := range c.Args {
			if option, value, _ := strings.Cut(a, "="); filepath.IsAbs(value) {
				c.Args[i] = option + "=<temp>/" + filepath.Base(value)
			}
		}
		out = append(out, strings.Join(c.Args, " "))
	}
	return out
}

func TestBuildEach(t *testing.T) {
	p, s := setUp(t, pixitest.Behavior{})
	w := golden(t, "plain", "pinned", "pyonly")
	b := request(t, w, "pinned", "plain", "pyonly")
	artifacts, err := p.Build(t.Context(), b)
	require.NoError(t, err)
	require.Len(t, artifacts, 3)
	for i, a := range artifacts {
		require.Equal(t, b.Packages[i].Name, a.Package)
		require.Equal(t, b.Dir, filepath.Dir(a.Path))
		require.FileExists(t, a.Path)
	}
	require.Equal(t, []string{
		"publish --path=plain --target-dir=<temp>/0 --clean --build-dir=<temp>/build",
		"publish --path=pinned --target-dir=<temp>/1 --clean --build-dir=<temp>/build",
		"publish --path=pyonly --target-dir=<temp>/2 --clean --build-dir=<temp>/build",
	}, publishes(s), "what pinned pins comes first, though it names no path to it")
	require.Equal(t, []string{
		"pinned-0.1.0-pyh4616a5c_0.conda", "plain-0.1.0-pyh4616a5c_0.conda", "pyonly-0.3.0-pyh4616a5c_0.conda",
	}, archives(t, b.Dir))
	require.Contains(t, b.Log.(*bytes.Buffer).String(), "📦 Publishing 1 package(s) to directory")
	for _, c := range s.Calls() {
		for _, a := range c.Args {
			if filepath.IsAbs(a) && a != w.Root {
				require.NoFileExists(t, filepath.Dir(a), "the temporary folder is gone")
			}
		}
	}
}

// A second build replaces the files of the first, including those of other versions, but no other files.
func TestBuildReplaces(t *testing.T) {
	p, _ := setUp(t, pixitest.Behavior{})
	w := golden(t, "plain", "pinned")
	b := request(t, w, "plain")
	require.NoError(t, os.MkdirAll(b.Dir, 0o755))
	for _, name := range []string{"plain-0.0.9-pyh4616a5c_0.conda", "plain-0.1.0-pyh4616a5c_0.conda", "plain-more-1-x_0.conda"} {
		require.NoError(t, os.WriteFile(filepath.Join(b.Dir, name), []byte("old"), 0o644))
	}
	artifacts, err := p.Build(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, []string{"plain-0.1.0-pyh4616a5c_0.conda", "plain-more-1-x_0.conda"}, archives(t, b.Dir))
	require.Greater(t, artifacts[0].Size, int64(100))
}

// If a package has another package's sources as a run dependency, the whole workspace is published. Packages that were not requested are
// discarded.
func TestBuildTogether(t *testing.T) {
	p, s := setUp(t, pixitest.Behavior{})
	w := golden(t, "plain", "pinned", "specs")
	b := request(t, w, "specs", "plain")
	artifacts, err := p.Build(t.Context(), b)
	require.NoError(t, err)
	require.Len(t, artifacts, 2)
	require.Equal(t, []string{"publish --target-dir=<temp>/all --clean --build-dir=<temp>/build"}, publishes(s))
	require.Equal(t, w.Root, s.Calls()[1].Dir)
	require.Equal(t, []string{"plain-0.1.0-pyh4616a5c_0.conda", "specs-0.1.0-pyh4616a5c_0.conda"}, archives(t, b.Dir))

	for _, pkg := range w.Packages {
		pkg.Publish = pkg.Name != "plain"
	}
	_, err = p.Build(t.Context(), b)
	require.ErrorContains(t, err, "plain cannot be built")
	require.Contains(t, fmt.Sprintf("%+v", err), "set `publish = true` in [package] of plain/pixi.toml")
	require.Len(t, publishes(s), 1, "nothing more was built")
}

// If anything that pixi built is wrong, output/ is not changed.
func TestBuildRefuses(t *testing.T) {
	p, s := setUp(t, pixitest.Behavior{})
	for name, c := range map[string]struct {
		behavior pixitest.Behavior
		says     string
	}{
		"old version out of a cache":       {pixitest.Behavior{Versions: map[string]string{"plain": "0.0.9"}}, `its version is "0.0.9" and not "0.1.0"`},
		"missing depends":                  {pixitest.Behavior{Drop: map[string][]string{"pinned": {"plain"}}}, `depends lacks "plain ==0.1.0"`},
		"unexpected depends":               {pixitest.Behavior{Add: map[string][]string{"pinned": {"left-pad >=1"}}}, `has "left-pad >=1"`},
		"loosened pin":                     {pixitest.Behavior{Drop: map[string][]string{"pinned": {"plain"}}, Add: map[string][]string{"pinned": {"plain >=0.1.0"}}}, `but has "plain >=0.1.0"`},
		"foreign artifact":                 {pixitest.Behavior{Foreign: []string{"stranger"}}, "pixi built stranger-0.0.1-pyh4616a5c_0.conda, which belongs to none of the packages plain"},
		"a sibling that was not requested": {pixitest.Behavior{Foreign: []string{"pinned"}}, "which belongs to none of the packages plain"},
		"skipped":                          {pixitest.Behavior{Skip: []string{"plain"}}, "pixi left out plain-0.1.0-pyh4616a5c_0.conda"},
		"nothing":                          {pixitest.Behavior{NoOutput: []string{"plain"}}, "pixi succeeded, but built no plain"},
		"killed":                           {pixitest.Behavior{Killed: true}, "signal 15"},
	} {
		t.Run(name, func(t *testing.T) {
			s.Behave(c.behavior)
			b := request(t, golden(t, "plain", "pinned"), "plain", "pinned")
			require.NoError(t, os.MkdirAll(b.Dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(b.Dir, "plain-0.0.8-pyh4616a5c_0.conda"), []byte("old"), 0o644))
			_, err := p.Build(t.Context(), b)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, []string{"plain-0.0.8-pyh4616a5c_0.conda"}, archives(t, b.Dir))
		})
	}
}

func TestBuildErrorsQuotePixi(t *testing.T) {
	p, _ := setUp(t, pixitest.Behavior{})
	b := request(t, golden(t, "plain", "pinned"), "plain", "pinned")
	require.NoError(t, os.RemoveAll(filepath.Join(b.Workspace.Root, "plain")))
	_, err := p.Build(t.Context(), b)
	require.ErrorContains(t, err, "building plain: `pixi publish --path=plain`: pixi ended with exit status 1")
	require.Contains(t, fmt.Sprintf("%+v", err), "is not a supported format")

	// pixi finds a source dependency that is not in the manifest.
	w := golden(t, "plain", "specs")
	b = request(t, w, "specs")
	b.Packages[0].Deps = nil
	_, err = p.Build(t.Context(), b)
	require.ErrorContains(t, err, "pixi does not publish specs alone, because specs runs with the sources of plain")
	var exit *command.ExitError
	require.ErrorAs(t, err, &exit)
}

// Variables that would change a build's result do not reach the build, but tasks have the user's environment.
func TestBuildWithoutVersionsFromOutside(t *testing.T) {
	for _, name := range []string{"SETUPTOOLS_SCM_PRETEND_VERSION", "SETUPTOOLS_SCM_OVERRIDES_FOR_PLAIN", "PBR_VERSION", "SOURCE_DATE_EPOCH"} {
		t.Setenv(name, "9")
	}
	p, s := setUp(t, pixitest.Behavior{})
	_, err := p.Build(t.Context(), request(t, golden(t, "plain"), "plain"))
	require.NoError(t, err)
	built := 0
	for _, c := range s.Calls() {
		if c.Args[0] == "publish" {
			built++
			require.Empty(t, c.Env)
		} else {
			require.Len(t, c.Env, 4, c.Args)
		}
	}
	require.Equal(t, 1, built)
}
