// Package pythons finds the interpreters of a machine, and gives to each use the newest one that all places take which ask for a Python. It
// knows nothing of what an interpreter is for.
//
//	finder.go   what is found, each asked once, and the choice for a use ([Finder])
//	places.go   where interpreters may be, and what their names say
//	asks.go     what a place asks for ([Ask]), and which version meets all of them
//	entries.go  what packages and artifacts ask for
//	nofit.go    the sentences for what no interpreter fits
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
	Path    string // of the real executable, not of a shim or of a virtual environment in front of it
	Version string // "3.12.1"

	pip bool // it can make virtual environments that have pip, by itself
}

// Minor is "3.12".
func (p Interpreter) Minor() string {
	return p.Version[:strings.LastIndexByte(p.Version, '.')]
}

// patience is how long an interpreter may take to say what it is. One that does not answer must not be in the way.
const patience = 10 * time.Second

// Config is what a finder needs of its surroundings.
type Config struct {
	Runner  command.Runner
	Environ []string // of the programs that are asked; its PATH comes first
	Places  Places
	Say     func(format string, args ...any) // tells what is passed over, a line each
}

// New returns a finder. Nothing is looked for before it is asked.
func New(c Config) *Finder {
	return &Finder{runner: c.Runner, env: c.Environ, places: c.Places, patience: patience, say: c.Say}
}

// Finder finds interpreters. It runs as few of them as it can: what a file's name and its folder's say is believed as far
// as it rules one out, and each is run once at most.
type Finder struct {
	runner   command.Runner
	env      []string
	places   Places
	patience time.Duration
	say      func(format string, args ...any)

	mu         sync.Mutex
	candidates []*candidate // the newest first; nil until they were looked for
}

// candidate is a file that may be an interpreter.
type candidate struct {
	path         string
	minor, patch int // as names say; unsaid where they do not

	asked bool
	got   Interpreter // zero where it did not answer
	why   string      // it is passed over; "" for a usable one
}

// unsaid is a number that no name says, and that may be any.
const unsaid = -1

// findNewest returns the interpreter that was chosen, where all places take it and it will do, and else the newest such one; of two of one version
// the one that is found first. It stops as soon as nothing that was not run yet can be newer.
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

// askAll runs every candidate, for a person: what is usable, and what is passed over with the reason, each once.
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

// look lists the candidates, once.
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

// atMost is the version that the candidate can at most have, as far as it counts here: minor and patch.
func (c *candidate) atMost() [2]int {
	switch {
	case c.minor == unsaid:
		return [2]int{newestMinor, math.MaxInt}
	case c.patch == unsaid:
		return [2]int{c.minor, math.MaxInt}
	}
	return [2]int{c.minor, c.patch}
}

// mayBeNewer reports whether some version that the candidate may have is newer than that of an interpreter.
func (c *candidate) mayBeNewer(than Interpreter) bool {
	var minor, patch int
	if _, err := fmt.Sscanf(than.Version, "3.%d.%d", &minor, &patch); err != nil {
		return true
	}
	most := c.atMost()
	return most[0] > minor || most[0] == minor && most[1] > patch
}

// mayMeet reports whether some version that the candidate may have is taken by all places.
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

// question is what an interpreter is asked. In a virtual environment it names the one that the environment is of.
const question = `import os, sys
base = getattr(sys, "_base_executable", None) or ""
pip = os.path.join(os.path.dirname(getattr(os, "__file__", "")), "ensurepip", "__init__.py")
print(base if os.path.exists(base) else sys.executable, "%d.%d.%d" % sys.version_info[:3], sys.implementation.name,
      sys.version_info.releaselevel, getattr(sys, "abiflags", "") or "-", sys.maxsize > 2**32, os.path.exists(pip), sep="\n")`

// ask runs a candidate, once. Only the end of ctx is an error.
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
		f.say("%s is passed over: it gave no answer in %s", c.path, f.patience)
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

// sayUnusable says what an interpreter is that tasks and builds are not given; "" for CPython as everyone knows it.
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

// Choose returns the interpreter for something, or says why there is none.
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

// ForTools returns the interpreter that the toolchain's own tools run on, whatever tasks and builds run on.
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
		return p, nil // making an environment with it says what it lacks
	}
	found := "none was found on PATH, nor where uv, pyenv and runners of CI keep theirs"
	if seen := append(list(usable), passedOver...); len(seen) > 0 {
		found = "only others were found (" + strings.Join(seen, ", ") + ")"
	}
	return p, operr.New("install one (on Debian: apt-get install python3 python3-venv), or install pixi",
		"the embedded toolchain needs Python 3.%d to 3.%d, and %s", oldestMinor, toolsMinor, found)
}
