// Package embedded implements a toolchain for machines without pixi. It requires only Python, and access to PyPI on first use.
//
// It reads tasks from the same manifests and runs them in a minimal shell, in a virtual environment that uv creates from the same dependency
// tables. Packages are built by the real rattler-build (the py-rattler-build wheel) from the recipe that pixi-build-python would generate. If the
// toolchain cannot do something exactly as pixi does, it fails with an error that names the feature.
//
// Its own tools are stored in the cache folder, under a key that covers all of their inputs. The environments for tasks are in the .pixi folder
// next to their manifest.
//
// This package creates environments. Package building builds packages. Package uv installs from PyPI, and installs tools once per machine.
// pythons finds interpreters, condanames maps conda names to PyPI projects, and taskrun is the shell.
//
//	embedded.go     the toolchain and its configuration
//	run.go          runs a task in the environments that it needs
//	needs.go        determines the contents of an environment from its manifest and the packages in it
//	foreign.go      handles requirements from PyPI, and programs on PATH
//	refusal.go      reports requirements that cannot be installed
//	demands.go      collects an environment's requirements on Python
//	uses.go         finds the interpreter for each environment and each build
//	environment.go  creates or updates an environment for tasks
//	own.go          provides the sources of the workspace's own packages for an installation
//	install.go      creates an environment from artifacts
//	shebang.go      rewrites shebangs of scripts in an environment
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
	shown   sync.Map // programs already printed by showPrograms
}

// Config holds the settings and services of the embedded toolchain.
type Config struct {
	Runner    command.Runner
	Environ   []string             // environment for child processes
	Cache     string               // folder for tools that are installed once per machine; created if missing
	Workspace *workspace.Workspace // a downstream may use its packages instead of the channel's
	Log       io.Writer            // receives one line for each action

	// Published fetches one version of a workspace package from a channel and returns the file. It is needed because a downstream may require
	// another version than the sources have. Nil means that there is no channel.
	Published func(ctx context.Context, w Wanted) (path string, err error)

	// Environments is the folder for task environments. "" means .pixi/embedded next to each manifest.
	Environments string

	// Sources provides the sources from which workspace packages are built for task environments. Nil means the workspace's folder.
	Sources toolchain.Sources

	Places pythons.Places // more folders to search for interpreters, after the PATH in Environ
}

// Wanted is a request for one version of a workspace package, with its possible sources.
type Wanted struct {
	Name, Version string
	Channels      []string // the downstream's channels as written in its manifest, highest priority first; nil means the workspace's own
	AnyChannel    bool     // use the first channel that has the version, instead of the first that has the name
}

// New returns the embedded toolchain. It does not search for or install anything until first used.
func New(c Config) *Toolchain {
	e := &Toolchain{runner: c.Runner, env: c.Environ, cache: c.Cache, workspace: c.Workspace, log: c.Log, envs: c.Environments, published: c.Published, from: c.Sources}
	plain, _ := command.Withhold(c.Environ) // hides credentials: the finder runs every program called python on PATH
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
	return fmt.Sprintf("embedded (rattler-build and uv on Python %s)", python.Version), nil // `mage doctor` prints the path of Python
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

// Python returns the interpreter for the toolchain's own tools. Tasks and builds may use others.
func (e *Toolchain) Python(ctx context.Context) (pythons.Interpreter, error) {
	return e.pythons.ForTools(ctx)
}

// Programs installs requirements, which must be pinned by hash, and returns the folder with their programs. `what` describes them in messages.
func (e *Toolchain) Programs(ctx context.Context, what, requirements string) (bin string, err error) {
	return e.uv.InstallPrograms(ctx, what, requirements)
}

func (e *Toolchain) say(format string, args ...any) {
	if e.log != nil {
		fmt.Fprintf(e.log, format+"\n", args...)
	}
}
