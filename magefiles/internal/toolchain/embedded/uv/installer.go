// Package uv installs what comes from PyPI: the tools of the embedded toolchain and the build backends of packages, which are pinned by hash
// and installed once on a machine, and what an environment asks for. Nothing else starts uv. It knows neither what an environment is made of
// nor how a package is built.
//
//	installer.go  what runs uv ([Installer]): an empty environment, and what is installed into one
//	tools.go      uv and py-rattler-build themselves, and other programs, each once on a machine (tools.txt)
//	backends.go   what builds packages, once on a machine (backends.txt)
//	pins.go       which requirements of a build the pins meet, and how they are named
//	cache.go      folders that are filled once
//	environ.go    the variables that children get
//	uvconfig.go   which configuration of uv counts
//	pipindex.go   the settings of pip that stand for those that uv lacks
//	network.go    what to do where this machine or the way to the index is at fault
package uv

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
)

// Config is what an installer needs of its surroundings.
type Config struct {
	Runner  command.Runner
	Environ []string // that children inherit, without what is withheld of it
	Pass    []string // variables that children get though they may hold a credential
	Cache   string   // folder for what is installed once on a machine; made when it is missing
	Pythons *pythons.Finder
	Say     func(format string, args ...any) // tells what it is doing, a line each
}

// Installer runs uv. What it is of itself is installed before it is first needed.
type Installer struct {
	runner  command.Runner
	env     []string
	pass    []string
	cache   string
	pythons *pythons.Finder
	say     func(format string, args ...any)

	once     sync.Once
	tools    Tools
	toolsErr error
	pipOnce  sync.Once
	pip2uv   []string // variables for uv that pip's settings stand for
}

// New returns an installer. Nothing is looked for or installed before it is needed.
func New(c Config) *Installer {
	return &Installer{runner: c.Runner, env: c.Environ, pass: c.Pass, cache: c.Cache, pythons: c.Pythons, say: c.Say}
}

// Install installs what is named into an environment. Where the index does not answer, it comes from what uv has in its cache.
func (i *Installer) Install(ctx context.Context, dir, doing string, options []string, what ...string) error {
	t, err := i.FindTools(ctx)
	if err != nil {
		return err
	}
	options = append([]string{"--python=" + filepath.Join(dir, "bin", "python")}, options...)
	return explain(i.pipOrCache(ctx, t, options, what...), doing)
}

// pipOrCache is pip; where the index does not answer, from what uv has in its cache.
func (i *Installer) pipOrCache(ctx context.Context, t Tools, options []string, what ...string) error {
	err := i.pip(ctx, t, options, what...)
	var exit *command.ExitError
	if errors.As(err, &exit) && i.pip(ctx, t, append(options[:len(options):len(options)], "--offline"), what...) == nil {
		return nil
	}
	return err
}

// pip runs `uv pip install`. uv trusts a list of authorities of its own; where that does not know the one of a proxy in
// between, the system's may. What is installed stands behind all options, and is none itself.
func (i *Installer) pip(ctx context.Context, t Tools, options []string, what ...string) error {
	env := i.findIndexEnviron(ctx, t)
	install := func(more ...string) error {
		args := slices.Concat([]string{"pip", "install", "--quiet"}, options, more, []string{"--"}, what)
		return i.runner.Run(ctx, command.Cmd{Name: t.UV, Args: args, Env: env, Stdout: io.Discard, Stderr: io.Discard})
	}
	err := install()
	var exit *command.ExitError
	if errors.As(err, &exit) && strings.Contains(exit.Tail, "certificate") {
		return install("--system-certs")
	}
	return err
}

// MakeEnvironment makes an empty environment of an interpreter.
func (i *Installer) MakeEnvironment(ctx context.Context, python pythons.Interpreter, dir string) error {
	t, err := i.FindTools(ctx)
	if err != nil {
		return err
	}
	err = i.run(ctx, io.Discard, t.UV, "venv", "--quiet", "--no-config", "--python="+python.Path, "--", dir)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return operr.New("see what uv says above", "making an environment in %s: %w", dir, cure(exit)).WithDetail(exit.Tail)
	}
	return err
}

// run runs a program of the toolchain's own, with what it says kept for the error.
func (i *Installer) run(ctx context.Context, out io.Writer, name string, args ...string) error {
	return i.runner.Run(ctx, command.Cmd{Name: name, Args: args, Env: i.listToolEnviron(), Stdout: out, Stderr: out})
}
