// Package pythons finds the Python interpreters on a machine, and chooses the newest one that satisfies a list of requirements.
//
//	finder.go   runs each interpreter at most once, and chooses one ([Finder])
//	places.go   lists folders that may contain interpreters, and parses versions in names
//	asks.go     parses a requirement on Python ([Ask]), and finds a version that satisfies several
//	entries.go  reads the requirements of packages and artifacts
//	nofit.go    writes the error if no interpreter satisfies the requirements
package pythons

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// Interpreter is a Python on this machine.
type Interpreter struct {
	Path    string // real executable, not a shim or a virtual environment
	Version string // "3.12.1"

	pip bool // whether the interpreter can create virtual environments with pip on its own
}

// Minor returns the minor version, such as "3.12".
func (p Interpreter) Minor() string {
	return p.Version[:strings.LastIndexByte(p.Version, '.')]
}

// patience is the timeout for querying an interpreter, so that one that hangs does not block the search.
const patience = 10 * time.Second

// Config holds the settings and services of a finder.
type Config struct {
	Runner  command.Runner
	Environ []string // environment for running interpreters; its PATH is searched first
	Places  Places
	Say     func(format string, args ...any) // prints a line for each skipped interpreter
}

// New returns a finder. The search starts with the first call of a method.
func New(c Config) *Finder {
	return &Finder{runner: c.Runner, env: c.Environ, places: c.Places, patience: patience, say: c.Say}
}

// Finder finds interpreters. It runs as few as possible: it rules out candidates by their file and folder names, and runs each at most once.
type Finder struct {
	runner   command.Runner
	env      []string
	places   Places
	patience time.Duration
	say      func(format string, args ...any)

	mu         sync.Mutex
	candidates []*candidate // newest first; nil before the search
}

// candidate is a file that may be an interpreter.
type candidate struct {
	path         string
	minor, patch int // parsed from names, or unsaid

	asked bool
	got   Interpreter // zero if the query failed
	why   string      // why the interpreter is skipped; "" if usable
}

// unsaid means that a name does not contain the number, so it can be anything.
const unsaid = -1

// findNewest returns the interpreter that the user has chosen if it satisfies all requirements and `will` returns true for it. Otherwise it
// returns the newest interpreter for which both hold, or the first of several with the same version. It stops as soon as no remaining candidate
// can be newer.
func (f *Finder) findNewest(ctx context.Context, asks []Ask, will func(Interpreter) bool) (Interpreter, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look()
	for _, c := range f.candidates {
		if !f.places.chose(c.path) || !c.mayMeet(asks) {
			continue
		}
		if err := f.ask(ctx, c); err != nil {
			return Interpreter{}, false, err
		}
		if got, ok := pick(asks, []Interpreter{c.got}); ok && c.why == "" && will(got) {
			return got, true, nil
		}
	}
	var installed []Interpreter
	for _, c := range f.candidates {
		if best, ok := pick(asks, installed); ok && !c.mayBeNewer(best) {
			return best, true, nil
		}
		if !c.mayMeet(asks) {
			continue
		}
		if err := f.ask(ctx, c); err != nil {
			return Interpreter{}, false, err
		}
		if c.why == "" && will(c.got) {
			installed = append(installed, c.got)
		}
	}
	best, ok := pick(asks, installed)
	return best, ok, nil
}

// askAll runs every candidate, for reports. It returns the usable interpreters, and the skipped ones with the reason, without duplicates.
func (f *Finder) askAll(ctx context.Context) (usable []Interpreter, passedOver []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look()
	for _, c := range f.candidates {
		if err := f.ask(ctx, c); err != nil {
			return nil, nil, err
		}
		switch text := fmt.Sprintf("%s (%s, %s)", c.got.Version, c.got.Path, c.why); {
		case c.why == "" && !slices.ContainsFunc(usable, func(p Interpreter) bool { return p.Path == c.got.Path }):
			usable = append(usable, c.got)
		case c.why == "":
		case c.got == Interpreter{}:
			passedOver = append(passedOver, c.path+" ("+c.why+")")
		case !slices.Contains(passedOver, text):
			passedOver = append(passedOver, text)
		}
	}
	return usable, passedOver, nil
}

// look searches for candidates once.
func (f *Finder) look() {
	if f.candidates != nil {
		return
	}
	path, _ := command.Getenv(f.env, "PATH")
	f.candidates = f.places.listCandidates(path)
	slices.SortStableFunc(f.candidates, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.atMost()[0], a.atMost()[0]), cmp.Compare(b.atMost()[1], a.atMost()[1]))
	})
}

// atMost returns the highest minor and patch numbers that the candidate can have.
func (c *candidate) atMost() [2]int {
	switch {
	case c.minor == unsaid:
		return [2]int{newestMinor, math.MaxInt}
	case c.patch == unsaid:
		return [2]int{c.minor, math.MaxInt}
	}
	return [2]int{c.minor, c.patch}
}

// mayBeNewer reports whether the candidate could be newer than the given interpreter.
func (c *candidate) mayBeNewer(than Interpreter) bool {
	var minor, patch int
	if _, err := fmt.Sscanf(than.Version, "3.%d.%d", &minor, &patch); err != nil {
		return true
	}
	most := c.atMost()
	return most[0] > minor || most[0] == minor && most[1] > patch
}

// mayMeet reports whether the candidate could have a version that satisfies all requirements.
func (c *candidate) mayMeet(asks []Ask) bool {
	if c.minor == unsaid {
		return true
	}
	first, last := 0, lastPatch
	if c.patch != unsaid {
		first, last = c.patch, c.patch
	}
	for patch := last; patch >= first; patch-- {
		if meets(asks, version.MustParse(fmt.Sprintf("3.%d.%d", c.minor, patch))) {
			return true
		}
	}
	return false
}

// question is the program that queries an interpreter. In a virtual environment it prints the base interpreter.
const question = `import os, sys
base = getattr(sys, "_base_executable", None) or ""
pip = os.path.join(os.path.dirname(getattr(os, "__file__", "")), "ensurepip", "__init__.py")
print(base if os.path.exists(base) else sys.executable, "%d.%d.%d" % sys.version_info[:3], sys.implementation.name,
      sys.version_info.releaselevel, getattr(sys, "abiflags", "") or "-", sys.maxsize > 2**32, os.path.exists(pip), sep="\n")`

// ask queries a candidate, at most once. It returns an error only if ctx is done.
func (f *Finder) ask(ctx context.Context, c *candidate) error {
	if c.asked {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	out, err := command.Output(limited, f.runner, command.Cmd{Name: c.path, Args: []string{"-I", "-S", "-c", question}, Env: f.env, Abrupt: true})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.asked = true
	if limited.Err() != nil {
		c.why = fmt.Sprintf("no answer in %s", f.patience)
		f.say("%s is ignored, because it gave no answer in %s", c.path, f.patience)
		return nil
	}
	said := strings.Split(out, "\n")
	if err != nil || len(said) != 7 {
		c.why = "does not run"
		return nil
	}
	c.got = Interpreter{Path: said[0], Version: said[1], pip: said[6] == "True"}
	c.why = sayUnusable(said[2], said[3], said[4], said[5])
	return nil
}

// sayUnusable returns why an interpreter cannot be used for tasks and builds, or "" for standard CPython.
func sayUnusable(implementation, level, flags, wide string) string {
	switch {
	case implementation != "cpython":
		return implementation
	case level != "final":
		return "a pre-release"
	case strings.Contains(flags, "t"):
		return "free-threaded"
	case strings.Contains(flags, "d"):
		return "a debug build"
	case wide != "True":
		return "32 bit"
	}
	return ""
}

// Choose returns the interpreter that satisfies `asks`, or an error that explains why there is none. `what` says what the interpreter is for.
func (f *Finder) Choose(ctx context.Context, what string, asks []Ask) (Interpreter, error) {
	p, ok, err := f.findNewest(ctx, asks, func(Interpreter) bool { return true })
	if err != nil || ok {
		return p, err
	}
	usable, passedOver, err := f.askAll(ctx)
	if err != nil {
		return p, err
	}
	return p, refuse(what, asks, usable, passedOver)
}

// ForTools returns the interpreter for the toolchain's own tools. Tasks and builds may use others.
func (f *Finder) ForTools(ctx context.Context) (Interpreter, error) {
	p, ok, err := f.findNewest(ctx, toolAsks, func(p Interpreter) bool { return p.pip })
	if err != nil || ok {
		return p, err
	}
	usable, passedOver, err := f.askAll(ctx)
	if err != nil {
		return p, err
	}
	if p, ok = pick(toolAsks, usable); ok {
		return p, nil // creating the environment will report what this interpreter lacks
	}
	found := "no Python was found on PATH, or in the folders of uv, pyenv and CI runners"
	if seen := append(list(usable), passedOver...); len(seen) > 0 {
		found = "only other Pythons were found (" + strings.Join(seen, ", ") + ")"
	}
	return p, operr.New("install Python (on Debian: apt-get install python3 python3-venv), or install pixi",
		"the embedded toolchain needs Python 3.%d to 3.%d, but %s", oldestMinor, toolsMinor, found)
}
