package toolchain_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// testdata/golden contains a workspace, and for each package the index.json that was built from it by pixi 0.77.0 with pixi-build-python 0.8.6 on
// linux-64.
func golden(t *testing.T) (*workspace.Workspace, func(name string) *condapkg.Index) {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.CopyFS(root, os.DirFS("testdata/golden")))
	w, err := workspace.Load(root)
	require.NoError(t, err)
	require.Len(t, w.Packages, 8)
	return w, func(name string) *condapkg.Index {
		text, err := os.ReadFile(filepath.Join("testdata/golden", name, "index.json"))
		require.NoError(t, err)
		var x condapkg.Index
		require.NoError(t, json.Unmarshal(text, &x))
		return &x
	}
}

func TestRecordedArtifactsMatchTheirManifests(t *testing.T) {
	w, index := golden(t)
	for _, p := range w.Packages {
		x := index(p.Name)
		require.NoError(t, toolchain.CheckIndex(w, p, x, "linux-64"), p.Name)
		require.NoError(t, toolchain.CheckIndex(w, p, x, ""), p.Name)
		var specs []string
		for _, d := range toolchain.ExpectedDepends(p, "linux-64") {
			specs = append(specs, d.Spec)
		}
		require.Equal(t, x.Depends, specs, p.Name)
	}
}

func TestWrongArtifacts(t *testing.T) {
	w, index := golden(t)
	without := func(x *condapkg.Index, name string) {
		x.Depends = slices.DeleteFunc(x.Depends, func(d string) bool { return strings.HasPrefix(d, name) })
	}
	for name, c := range map[string]struct {
		of     string
		change func(x *condapkg.Index)
		says   string
	}{
		"old version":          {"pinned", func(x *condapkg.Index) { x.Version = "0.0.9" }, `its version is "0.0.9" and not "0.1.0"`},
		"other name":           {"pinned", func(x *condapkg.Index) { x.Name = "Pinned" }, `"Pinned"`},
		"placeholder":          {"pinned", func(x *condapkg.Index) { x.Version = "dynamic" }, "dynamic"},
		"build number":         {"numbered", func(x *condapkg.Index) { x.BuildNumber, x.Build = 0, "pyh4616a5c_0" }, `its build number is "0" and not "4"`},
		"build string":         {"numbered", func(x *condapkg.Index) { x.Build = "pyh4616a5c_0" }, "its build string"},
		"not noarch":           {"plain", func(x *condapkg.Index) { x.Noarch, x.Subdir = "", "linux-64" }, "its noarch"},
		"no pin":               {"pinned", func(x *condapkg.Index) { without(x, "plain") }, `depends lacks "plain ==0.1.0"`},
		"loose pin":            {"pinned", func(x *condapkg.Index) { without(x, "plain"); x.Depends = append(x.Depends, "plain >=0.1.0") }, `lacks "plain ==0.1.0", but has "plain >=0.1.0"`},
		"another pin":          {"pinned", func(x *condapkg.Index) { without(x, "plain"); x.Depends = append(x.Depends, "plain ==0.1.1") }, `but has "plain ==0.1.1"`},
		"two pins":             {"pinned", func(x *condapkg.Index) { x.Depends = append(x.Depends, "plain >=0.1") }, `has "plain >=0.1", which`},
		"no pin by path":       {"specs", func(x *condapkg.Index) { without(x, "plain"); x.Depends = append(x.Depends, "plain") }, `lacks "plain ==0.1.0", but has "plain"`},
		"empty depends":        {"plain", func(x *condapkg.Index) { x.Depends = nil }, `lacks "numpy >=1.26,<3"`},
		"no python":            {"plain", func(x *condapkg.Index) { without(x, "python") }, `lacks "python >=3.11"`},
		"sibling not asked":    {"plain", func(x *condapkg.Index) { x.Depends = append(x.Depends, "pinned ==0.1.0") }, `has "pinned ==0.1.0", which`},
		"stranger":             {"plain", func(x *condapkg.Index) { x.Depends = append(x.Depends, "left-pad") }, `has "left-pad", which`},
		"no conditional":       {"specs", func(x *condapkg.Index) { without(x, "tornado") }, `lacks "tornado"`},
		"no constraint":        {"specs", func(x *condapkg.Index) { x.Constrains = nil }, `constrains lacks "pandas >=2"`},
		"constraint not asked": {"plain", func(x *condapkg.Index) { x.Constrains = []string{"x <2"} }, `constrains has "x <2"`},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := w.Package(c.of)
			require.NoError(t, err)
			x := index(c.of)
			c.change(x)
			err = toolchain.CheckIndex(w, p, x, "linux-64")
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, p.Manifest)
		})
	}
}

// Different spelling, and entries added by the interpreter, are accepted.
func TestSpellings(t *testing.T) {
	w, index := golden(t)
	for name, c := range map[string]struct {
		of      string
		depends []string
	}{
		"order and blanks":      {"plain", []string{"python >=3.11", "xarray >=2024.6", "numpy <3, >=1.26"}},
		"brackets":              {"plain", []string{"python[version='>=3.11']", `xarray[version=">=2024.6"]`, "numpy >=1.26,<3"}},
		"channel":               {"plain", []string{"conda-forge::python >=3.11", "xarray >=2024.6", "numpy >=1.26,<3"}},
		"interpreter's export":  {"plain", []string{"python >=3.11", "python", "xarray >=2024.6", "numpy >=1.26,<3"}},
		"exact without equals":  {"pinned", []string{"plain 0.1.0", "pandas", "python >=3.11"}},
		"any version as a star": {"pinned", []string{"plain ==0.1.0", "pandas *", "python >=3.11"}},
	} {
		p, err := w.Package(c.of)
		require.NoError(t, err)
		x := index(c.of)
		x.Depends = c.depends
		require.NoError(t, toolchain.CheckIndex(w, p, x, "linux-64"), name)
	}
}

// A dependency for another platform is not expected if the build's platform is known. If it is unknown, the dependency is optional.
func TestConditions(t *testing.T) {
	w, index := golden(t)
	p, err := w.Package("specs")
	require.NoError(t, err)
	x := index("specs")
	require.ErrorContains(t, toolchain.CheckIndex(w, p, x, "osx-arm64"), `has "tornado"`)
	x.Depends = slices.DeleteFunc(x.Depends, func(d string) bool { return d == "tornado" })
	require.NoError(t, toolchain.CheckIndex(w, p, x, "osx-arm64"))
	require.NoError(t, toolchain.CheckIndex(w, p, x, ""))
	require.ErrorContains(t, toolchain.CheckIndex(w, p, x, "linux-aarch64"), `lacks "tornado"`)
}

func write(t *testing.T, dir, file string, p condapkgtest.Package) string {
	t.Helper()
	path := filepath.Join(dir, file)
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, condapkg.Write(f, p.Container()))
	return path
}

func TestCheckReadsTheArchive(t *testing.T) {
	w, index := golden(t)
	p, err := w.Package("pinned")
	require.NoError(t, err)
	good := condapkgtest.Package{Name: "pinned", Version: "0.1.0", Depends: index("pinned").Depends}
	dir := t.TempDir()

	a, err := toolchain.Check(w, p, write(t, dir, "pinned-0.1.0-pyh4616a5c_0.conda", good))
	require.NoError(t, err)
	require.Equal(t, "pinned", a.Package)
	require.Len(t, a.SHA256, 64)
	require.Positive(t, a.Size)
	require.True(t, filepath.IsAbs(a.Path))
	require.Equal(t, "0.1.0", a.Index.Version)

	_, err = toolchain.Check(w, p, write(t, dir, "pinned-0.2.0-pyh4616a5c_0.conda", good))
	require.ErrorContains(t, err, `the file name has the version "0.2.0"`)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pinned-0.1.0-x_0.conda"), []byte("no archive"), 0o644))
	_, err = toolchain.Check(w, p, filepath.Join(dir, "pinned-0.1.0-x_0.conda"))
	require.ErrorContains(t, err, "pinned-0.1.0-x_0.conda")
	_, err = toolchain.Check(w, p, filepath.Join(dir, "nothing.conda"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
