package pythons

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// The functions below return a requirement on Python, each in the syntax of a different table.

func condaSays(spec string) manifest.Dependency {
	return manifest.Dependency{Pos: manifest.Pos{File: "pixi.toml", Line: 9, Col: 1}, Name: "python", Kind: manifest.Conda, Table: "dependencies", Spec: manifest.Spec{Text: spec}}
}

func projectSays(spec string) manifest.Dependency {
	return manifest.Dependency{Pos: manifest.Pos{File: "lib/pyproject.toml", Line: 4, Col: 1}, Name: "python", Kind: manifest.PyPI, Table: manifest.RequiresPythonTable, Spec: manifest.Spec{Text: spec}}
}

func poetrySays(spec string) manifest.Dependency {
	d := projectSays(spec)
	d.Table = manifest.PoetryPythonTable
	return d
}

func installed(versions ...string) []Interpreter {
	var out []Interpreter
	for _, v := range versions {
		out = append(out, Interpreter{Path: "/opt/" + v + "/bin/python", Version: v})
	}
	return out
}

// TestPick checks that the newest installed interpreter that satisfies all requirements is chosen.
func TestPick(t *testing.T) {
	all := []string{"3.9.18", "3.10.13", "3.11.7", "3.12.1", "3.12.8", "3.13.0", "3.14.2", "3.15.0"}
	for _, c := range []struct {
		asks []manifest.Dependency
		from []string // installed versions; empty means all
		want string   // chosen version; "" if none fits
	}{
		{nil, nil, "3.14.2"},
		{[]manifest.Dependency{condaSays("")}, nil, "3.14.2"},
		{[]manifest.Dependency{condaSays("*"), projectSays(">=3.11")}, nil, "3.14.2"},
		{[]manifest.Dependency{condaSays(">=3.12,<3.14")}, nil, "3.13.0"},
		{[]manifest.Dependency{condaSays(">=3.12, <3.13.0a0")}, nil, "3.12.8"},
		{[]manifest.Dependency{condaSays("3.12.*")}, nil, "3.12.8"},
		{[]manifest.Dependency{condaSays("=3.12")}, nil, "3.12.8"},
		{[]manifest.Dependency{condaSays("==3.12.*")}, nil, "3.12.8"},
		{[]manifest.Dependency{condaSays("3.12")}, nil, "3.12.8"},
		{[]manifest.Dependency{condaSays("3")}, nil, "3.14.2"},
		{[]manifest.Dependency{condaSays("3.12.1")}, nil, "3.12.1"},
		{[]manifest.Dependency{condaSays("==3.12.1")}, nil, "3.12.1"},
		{[]manifest.Dependency{condaSays("==3.12")}, nil, ""},
		{[]manifest.Dependency{condaSays("~=3.11")}, nil, "3.14.2"},
		{[]manifest.Dependency{condaSays("~=3.11.0")}, nil, "3.11.7"},
		{[]manifest.Dependency{condaSays("3.10|3.12")}, nil, "3.12.8"},
		{[]manifest.Dependency{condaSays("3.11.*|>=3.13,<3.14")}, nil, "3.13.0"},
		{[]manifest.Dependency{condaSays(">=3.11,!=3.14.*,!=3.13.*")}, nil, "3.12.8"},
		{[]manifest.Dependency{condaSays("<3.12")}, nil, "3.11.7"},
		{[]manifest.Dependency{condaSays("<=3.12")}, nil, "3.11.7"},
		{[]manifest.Dependency{condaSays("3.10.*")}, nil, ""},
		{[]manifest.Dependency{condaSays(">=3.15")}, nil, ""},
		{[]manifest.Dependency{projectSays(">=3.10")}, []string{"3.10.13"}, ""},
		{[]manifest.Dependency{projectSays(">=3.9,<4")}, []string{"3.11.7", "3.10.13"}, "3.11.7"},
		{[]manifest.Dependency{projectSays("==3.11.*")}, nil, "3.11.7"},
		{[]manifest.Dependency{projectSays("~=3.12")}, nil, "3.14.2"},
		{[]manifest.Dependency{projectSays("!=3.14.2,>=3.12")}, nil, "3.13.0"},
		{[]manifest.Dependency{poetrySays("^3.11")}, nil, "3.14.2"},
		{[]manifest.Dependency{poetrySays("~3.12")}, nil, "3.12.8"},
		{[]manifest.Dependency{poetrySays(">=3.11,<3.12 || >=3.13,<3.14")}, nil, "3.13.0"},
		{[]manifest.Dependency{projectSays(">=3.12"), condaSays("<3.14"), condaSays("!=3.13.*")}, nil, "3.12.8"},
		{[]manifest.Dependency{projectSays(">=3.12")}, []string{"3.11.7"}, ""},
		{nil, []string{"3.12.1", "3.12.1"}, "3.12.1"},
	} {
		asks, err := Read(nil, c.asks...)
		require.NoError(t, err, c.asks)
		from := c.from
		if from == nil {
			from = all
		}
		got, ok := pick(asks, installed(from...))
		require.Equal(t, c.want, got.Version, asks)
		require.Equal(t, c.want != "", ok, asks)
	}
}

// If two interpreters have the same version, the first is chosen.
func TestPickTheFirst(t *testing.T) {
	got, ok := pick(nil, []Interpreter{{Path: "/a", Version: "3.11.7"}, {Path: "/b", Version: "3.12.1"}, {Path: "/c", Version: "3.12.1"}})
	require.True(t, ok)
	require.Equal(t, "/b", got.Path)
}

// Invalid specs, and builds that no interpreter matches, are rejected with their position and a next step.
func TestInvalidPythonSpecs(t *testing.T) {
	free := condaSays("3.13.*")
	free.Spec.Build = "*_cp313t"
	pypy := condaSays("3.11.*")
	pypy.Spec.Build = "*_pypy"
	for want, d := range map[string]manifest.Dependency{
		"pixi.toml:9:1: the embedded toolchain cannot read this requirement on Python: \"(>=3.11,<3.12)|3.13.*\"": condaSays("(>=3.11,<3.12)|3.13.*"),
		"lib/pyproject.toml:4:1: the embedded toolchain cannot read":                                              projectSays("3.12"),
		"cannot read this requirement on Python":                                                                  projectSays(">=3.x"),
		"is the conda build \"*_cp313t\"":                                                                         free,
		"is the conda build \"*_pypy\"":                                                                           pypy,
	} {
		_, err := Read(nil, d)
		require.ErrorContains(t, err, want)
		var told *operr.Error
		require.ErrorAs(t, err, &told)
		require.Contains(t, told.Next, "PIPELINE_TOOLCHAIN=pixi")
	}
	for _, build := range []string{"*_cpython", "*_cp313", "*"} {
		d := condaSays("3.13.*")
		d.Spec.Build = build
		_, err := Read(nil, d)
		require.NoError(t, err, build)
	}
}

// TestRefused checks the error messages if no installed Python satisfies the requirements.
func TestRefused(t *testing.T) {
	other := condaSays("<3.12")
	other.File, other.Line = "app/pixi.toml", 3
	for _, c := range []struct {
		asks []manifest.Dependency
		from []string
		says string
		next string
	}{
		{
			asks: []manifest.Dependency{projectSays(">=3.12"), condaSays(">=3.11")},
			from: []string{"3.10.13", "3.11.7"},
			says: "x: no installed Python fits: lib/pyproject.toml:4:1 asks for Python >=3.12; installed: 3.10.13 (/opt/3.10.13/bin/python), 3.11.7 (/opt/3.11.7/bin/python)",
			next: "`uv python install 3.13`, `pyenv install 3.13`, or `apt-get install",
		},
		{
			asks: []manifest.Dependency{condaSays("3.12.4")},
			from: []string{"3.12.1"},
			says: "x: no installed Python fits: pixi.toml:9:1 asks for Python 3.12.4; installed: 3.12.1 (/opt/3.12.1/bin/python)",
			next: "`uv python install 3.12.4`",
		},
		{nil, nil, "x: no installed Python fits: the embedded toolchain needs Python 3.11 to 3.14; no Python is installed", "`uv python install 3.13`"},
		{
			asks: []manifest.Dependency{projectSays(">=3.12,<3.14")},
			from: nil,
			says: "x: no installed Python fits: lib/pyproject.toml:4:1 asks for Python >=3.12,<3.14; no Python is installed",
			next: "`uv python install 3.13`",
		},
		{[]manifest.Dependency{condaSays(">=3.14")}, nil, "x: no installed Python fits: pixi.toml:9:1 asks for Python >=3.14; no Python is installed", "`uv python install 3.14`"},
		{
			asks: []manifest.Dependency{condaSays(">=3.15")},
			from: []string{"3.11.7"},
			says: "x: pixi.toml:9:1 asks for Python >=3.15, but the embedded toolchain supports 3.11 to 3.14; installed: 3.11.7 (/opt/3.11.7/bin/python)",
			next: "PIPELINE_TOOLCHAIN=pixi",
		},
		{
			asks: []manifest.Dependency{condaSays(">=3.11"), projectSays(">=3.12"), other},
			from: []string{"3.11.7"},
			says: "x: no Python from 3.11 to 3.14 meets all requirements: lib/pyproject.toml:4:1 asks for Python >=3.12, app/pixi.toml:3:1 asks for Python <3.12; installed: 3.11.7 (/opt/3.11.7/bin/python)",
			next: "change these requirements so that one version meets all of them",
		},
	} {
		asks, err := Read(nil, c.asks...)
		require.NoError(t, err)
		err = refuse("x", asks, installed(c.from...), nil)
		require.EqualError(t, err, c.says)
		var told *operr.Error
		require.True(t, errors.As(err, &told))
		require.Contains(t, told.Next, c.next)
	}
}

// Several positions with the same requirement are combined into one phrase.
func TestRefusedPositionsAreCombined(t *testing.T) {
	var entries []manifest.Dependency
	for line := range 20 {
		d := projectSays(">=3.13")
		d.Line = line + 1
		entries = append(entries, d)
	}
	asks, err := Read(nil, append(entries, entries...)...)
	require.NoError(t, err)
	require.Len(t, asks, 20)
	err = refuse("x", asks, installed("3.12.1"), []string{"/usr/bin/python3.13 (does not run)"})
	require.ErrorContains(t, err, "lib/pyproject.toml:1:1, lib/pyproject.toml:2:1, lib/pyproject.toml:3:1 and 17 more ask for Python >=3.13;")
	require.ErrorContains(t, err, "3.12.1 (/opt/3.12.1/bin/python), /usr/bin/python3.13 (does not run)")
	require.Equal(t, 1, strings.Count(err.Error(), ">=3.13"))
}

func TestSupportedPythons(t *testing.T) {
	for version, want := range map[string]bool{
		"3.10.13": false, "3.11.2": true, "3.13.0": true, "3.14.0": false, "2.7.18": false, "": false, "3.x.y": false,
	} {
		require.Equal(t, want, supported(version), version)
	}
}

// supported reports whether the pinned tools are tested with a version.
func supported(text string) bool {
	v, err := version.Parse(text)
	return err == nil && meets(toolAsks, v)
}
