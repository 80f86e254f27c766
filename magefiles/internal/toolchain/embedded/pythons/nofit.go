package pythons

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// refuse returns the error for requirements that no installed interpreter satisfies. It lists the requirements with their positions, the
// installed interpreters, and a next step.
func refuse(what string, asks []Ask, installed []Interpreter, passedOver []string) error {
	have := "no Python is installed"
	if seen := append(list(installed), passedOver...); len(seen) > 0 {
		have = "installed: " + strings.Join(seen, ", ")
	}
	if want := findVersion(asks); want != "" {
		return operr.New(getPython(want), "%s: no installed Python fits: %s; %s", what, giveReasons(findDecisive(asks, installed)), have)
	}
	for i, a := range asks {
		if findVersion(asks[i:i+1]) == "" {
			return operr.New("use pixi instead: PIPELINE_TOOLCHAIN=pixi",
				"%s: %s asks for Python %s, but the embedded toolchain supports 3.%d to 3.%d; %s", what, a.Pos, a.spec, oldestMinor, newestMinor, have)
		}
	}
	return operr.New("change these requirements so that one version meets all of them, or move the packages to separate environments",
		"%s: no Python from 3.%d to 3.%d meets all requirements: %s; %s", what, oldestMinor, newestMinor, writePhrase(findContradiction(asks)), have)
}

// getPython returns a next step that installs the given version.
func getPython(want string) string {
	minor := want
	if strings.Count(want, ".") == 2 {
		minor = want[:strings.LastIndexByte(want, '.')]
	}
	return fmt.Sprintf("install a Python that fits: `uv python install %s`, `pyenv install %s`, or `apt-get install python3 python3-venv` if that installs Python %s; or use pixi instead: PIPELINE_TOOLCHAIN=pixi", operr.Word(want), want, minor)
}

// findDecisive returns the requirements that reject an installed interpreter, or all requirements if none does.
func findDecisive(asks []Ask, installed []Interpreter) []Ask {
	var out []Ask
	for _, a := range asks {
		if slices.ContainsFunc(installed, func(p Interpreter) bool {
			v, err := version.Parse(p.Version)
			return err == nil && known.Has(v) && !a.admits.Has(v)
		}) {
			out = append(out, a)
		}
	}
	if out == nil {
		return asks
	}
	return out
}

// findContradiction returns two requirements that no version satisfies together, or all requirements if no such pair exists.
func findContradiction(asks []Ask) []Ask {
	for i, a := range asks {
		for _, b := range asks[i+1:] {
			if both := []Ask{a, b}; findVersion(both) == "" {
				return both
			}
		}
	}
	return asks
}

// giveReasons formats the requirements as a phrase. If there are none, it states the versions that the embedded toolchain supports.
func giveReasons(asks []Ask) string {
	if len(asks) == 0 {
		return fmt.Sprintf("the embedded toolchain needs Python 3.%d to 3.%d", oldestMinor, newestMinor)
	}
	return writePhrase(asks)
}

// writePhrase returns a phrase with each spec and its positions.
func writePhrase(asks []Ask) string {
	var specs []string
	places := map[string][]string{}
	for _, a := range asks {
		if places[a.spec] == nil {
			specs = append(specs, a.spec)
		}
		places[a.spec] = append(places[a.spec], a.Pos.String())
	}
	var phrases []string
	for _, s := range specs {
		at := places[s]
		more := ""
		if len(at) > 3 {
			at, more = at[:3], fmt.Sprintf(" and %d more", len(at)-3)
		}
		verb := " asks for "
		if len(places[s]) > 1 {
			verb = " ask for "
		}
		phrases = append(phrases, strings.Join(at, ", ")+more+verb+"Python "+s)
	}
	return strings.Join(phrases, ", ")
}

// list formats interpreters for output.
func list(installed []Interpreter) []string {
	var out []string
	for _, p := range installed {
		out = append(out, p.Version+" ("+p.Path+")")
	}
	return out
}
