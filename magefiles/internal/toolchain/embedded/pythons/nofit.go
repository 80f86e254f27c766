package pythons

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// refuse says that no interpreter on this machine will do for something: what is asked for and where, what is
// installed, and what to do.
func refuse(what string, asks []Ask, installed []Interpreter, passedOver []string) error {
	have := "none is installed"
	if seen := append(list(installed), passedOver...); len(seen) > 0 {
		have = "installed: " + strings.Join(seen, ", ")
	}
	if want := findVersion(asks); want != "" {
		return operr.New(getPython(want), "%s: no installed Python fits: %s; %s", what, giveReasons(findDecisive(asks, installed)), have)
	}
	for i, a := range asks {
		if findVersion(asks[i:i+1]) == "" {
			return operr.New("run it with pixi: PIPELINE_TOOLCHAIN=pixi",
				"%s: %s asks for Python %s, and the embedded toolchain knows 3.%d to 3.%d; %s", what, a.Pos, a.spec, oldestMinor, newestMinor, have)
		}
	}
	return operr.New("let them agree, or keep them apart, in environments of their own",
		"%s: no Python of 3.%d to 3.%d is what all ask for: %s; %s", what, oldestMinor, newestMinor, writePhrase(findContradiction(asks)), have)
}

// getPython says how to get a version.
func getPython(want string) string {
	minor := want
	if strings.Count(want, ".") == 2 {
		minor = want[:strings.LastIndexByte(want, '.')]
	}
	return fmt.Sprintf("install one: `uv python install %s`, `pyenv install %s`, or `apt-get install python3 python3-venv` where that is Python %s; or run it with pixi: PIPELINE_TOOLCHAIN=pixi", operr.Word(want), want, minor)
}

// findDecisive returns the places that something installed fails at; all of them where nothing is.
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

// findContradiction returns two places of which no version is taken by both, or, where it takes more of them, all.
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

// giveReasons says who asks for what, or, where nobody asks for anything, what the embedded toolchain itself needs.
func giveReasons(asks []Ask) string {
	if len(asks) == 0 {
		return fmt.Sprintf("the embedded toolchain needs Python 3.%d to 3.%d", oldestMinor, newestMinor)
	}
	return writePhrase(asks)
}

// writePhrase says who asks for what, one phrase for each spec.
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

// list writes interpreters for people.
func list(installed []Interpreter) []string {
	var out []string
	for _, p := range installed {
		out = append(out, p.Version+" ("+p.Path+")")
	}
	return out
}
