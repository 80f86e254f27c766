// Package embedded is the toolchain for a machine without pixi: it needs Python and, the first time, PyPI.
//
// Tasks are read from the same manifests and run by a small shell in a virtual environment that uv makes from the same
// dependency tables. Packages are built by the real rattler-build (the py-rattler-build wheel) from the recipe that
// pixi-build-python would generate. Whatever the toolchain cannot do as pixi does is refused by name.
//
// What it installs for itself lies in the cache folder and is keyed by everything it depends on; an environment for
// tasks lies in the .pixi folder beside its manifest.
//
// This package knows what an environment is made of. How a package is built is building's, what is installed from PyPI, and once on a
// machine, uv's; pythons finds interpreters, condanames says what a conda name stands for, and taskrun is the shell.
//
//	embedded.go     the toolchain, and what it needs of its surroundings
//	run.go          a task, in the environments that it needs
//	needs.go        what an environment is made of, collected from its manifest and the packages in it
//	foreign.go      the part of that which comes from PyPI or is a program on PATH
//	refusal.go      the sentence for all that there is no way to install
//	demands.go      which Pythons an environment asks for
//	uses.go         what runs on an interpreter of its own choice, and which
//	environment.go  an environment for tasks, made or brought up to date
//	own.go          the sources of the workspace's own packages, for an installation
//	install.go      an environment of artifacts, and how these are linked into one
//	shebang.go      the first lines of scripts there
package embedded

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/building"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/uv"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Toolchain implements toolchain.Toolchain.
type Toolchain struct {
	runner    command.Runner
	env       []string
	cache     string
	workspace *workspace.Workspace
	log       io.Writer
	envs      string
	published func(ctx context.Context, w Wanted) (string, error)
	from      toolchain.Sources

	pythons *pythons.Finder
	uv      *uv.Installer
	builder *building.Builder
	shown   sync.Map // programs that were shown
}

// Config is what the embedded toolchain needs of its surroundings.
type Config struct {
	Runner    command.Runner
	Environ   []string             // that children inherit
	Cache     string               // folder for what is installed once on a machine; made when it is missing
	Workspace *workspace.Workspace // whose packages a downstream may take instead of the channel's
	Log       io.Writer            // what it is doing, a line each

	// Published fetches one version of a package of the workspace from a channel and returns the file: a downstream may ask for
	// another version than the sources have. Nil: there is no channel.
	Published func(ctx context.Context, w Wanted) (path string, err error)

	// Environments is the folder for the environments of tasks. "" puts each into .pixi/embedded beside its manifest.
	Environments string

	// Sources is what the workspace's own packages are built from when they are installed into environments of tasks; nil is what
	// lies in the workspace's folder.
	Sources toolchain.Sources

	Places pythons.Places // where interpreters are looked for besides the PATH of Environ
}

// Wanted is one version of a package of the workspace, and where it may come from.
type Wanted struct {
	Name, Version string
	Channels      []string // of the downstream's environment, as its manifest writes them, highest priority first; nil is the workspace's own
	AnyChannel    bool     // the first channel that has the version, in place of the first that has the name
}

// New returns the embedded toolchain. Nothing is looked for or installed before it is needed.
func New(c Config) *Toolchain {
	e := &Toolchain{runner: c.Runner, env: c.Environ, cache: c.Cache, workspace: c.Workspace, log: c.Log, envs: c.Environments, published: c.Published, from: c.Sources}
	plain, _ := command.Withhold(c.Environ) // whatever is called python on PATH is asked
	e.pythons = pythons.New(pythons.Config{Runner: c.Runner, Environ: plain, Places: c.Places, Say: e.say})
	var pass []string
	if c.Workspace != nil {
		pass = c.Workspace.Config.Pass
	}
	e.uv = uv.New(uv.Config{Runner: c.Runner, Environ: c.Environ, Pass: pass, Cache: c.Cache, Pythons: e.pythons, Say: e.say})
	e.builder = building.New(building.Config{Runner: c.Runner, Environ: c.Environ, Cache: c.Cache, Pythons: e.pythons, UV: e.uv})
	return e
}

// Name implements toolchain.Toolchain.
func (e *Toolchain) Name() string { return "embedded" }

// Describe implements toolchain.Toolchain.
func (e *Toolchain) Describe(ctx context.Context) (string, error) {
	python, err := e.Python(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("embedded (rattler-build and uv on Python %s)", python.Version), nil // where it is, doctor says
}

// Build implements toolchain.Toolchain.
func (e *Toolchain) Build(ctx context.Context, b toolchain.Build) ([]toolchain.Artifact, error) {
	return e.builder.Build(ctx, b)
}

// BuiltWith implements toolchain.Toolchain.
func (e *Toolchain) BuiltWith(ctx context.Context, p *workspace.Package) (string, error) {
	return e.builder.BuiltWith(ctx, p)
}

// Reproducible implements toolchain.Toolchain.
func (e *Toolchain) Reproducible() bool { return true }

// Python returns the interpreter that the toolchain's own tools run on, whatever tasks and builds run on.
func (e *Toolchain) Python(ctx context.Context) (pythons.Interpreter, error) {
	return e.pythons.ForTools(ctx)
}

// Programs is the folder of the programs that requirements bring, which pin all they name by hash. what names them for people.
func (e *Toolchain) Programs(ctx context.Context, what, requirements string) (bin string, err error) {
	return e.uv.InstallPrograms(ctx, what, requirements)
}

func (e *Toolchain) say(format string, args ...any) {
	if e.log != nil {
		fmt.Fprintf(e.log, format+"\n", args...)
	}
}
