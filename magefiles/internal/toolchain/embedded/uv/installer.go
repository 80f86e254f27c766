// Package uv installs everything that comes from PyPI: the tools of the embedded toolchain and build backends, which are pinned by hash and
// installed once per machine, and the requirements of environments. No other package runs uv. The contents of environments and the build process
// are determined elsewhere.
//
//	installer.go  runs uv ([Installer]) to create environments and install requirements
//	tools.go      installs uv, py-rattler-build and other programs once per machine (tools.txt)
//	backends.go   installs build backends once per machine (backends.txt)
//	pins.go       checks which build requirements the pins satisfy
//	cache.go      fills cache folders once
//	environ.go    creates the environment of child processes
//	uvconfig.go   finds uv's configuration file
//	pipindex.go   converts pip's settings for uv
//	network.go    recognizes problems with this machine or the network
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

// Config holds the settings and services of an installer.
type Config struct {
	Runner  command.Runner
	Environ []string // environment for child processes, without the withheld variables
	Pass    []string // variables passed to child processes although they may hold a credential
	Cache   string   // folder for tools that are installed once per machine; created if missing
	Pythons *pythons.Finder
	Say     func(format string, args ...any) // prints a line for each action
}

// Installer runs uv, and installs uv itself on first use.
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
	pip2uv   []string // variables for uv that correspond to pip's settings
}

// New returns an installer. It does not search for or install anything until first used.
func New(c Config) *Installer {
	return &Installer{runner: c.Runner, env: c.Environ, pass: c.Pass, cache: c.Cache, pythons: c.Pythons, say: c.Say}
}

// Install installs requirements into an environment. If uv fails, for example because the index is unreachable, it retries with only uv's cache.
func (i *Installer) Install(ctx context.Context, dir, doing string, options []string, what ...string) error {
	t, err := i.FindTools(ctx)
	if err != nil {
		return err
	}
	options = append([]string{"--python=" + filepath.Join(dir, "bin", "python")}, options...)
	return explain(i.pipOrCache(ctx, t, options, what...), doing)
}

// pipOrCache calls pip, and retries with only uv's cache if that fails.
func (i *Installer) pipOrCache(ctx context.Context, t Tools, options []string, what ...string) error {
	err := i.pip(ctx, t, options, what...)
	var exit *command.ExitError
	if errors.As(err, &exit) && i.pip(ctx, t, append(options[:len(options):len(options)], "--offline"), what...) == nil {
		return nil
	}
	return err
}

// pip runs `uv pip install`. uv has its own list of certificate authorities. If a proxy's authority is missing from it, pip retries with the
// system's list. Requirements are passed after all options, so that uv never parses one as an option.
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

// MakeEnvironment creates an empty virtual environment.
func (i *Installer) MakeEnvironment(ctx context.Context, python pythons.Interpreter, dir string) error {
	t, err := i.FindTools(ctx)
	if err != nil {
		return err
	}
	err = i.run(ctx, io.Discard, t.UV, "venv", "--quiet", "--no-config", "--python="+python.Path, "--", dir)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return operr.New("fix the error that uv reported above", "making an environment in %s: %w", dir, cure(exit)).WithDetail(exit.Tail)
	}
	return err
}

// run runs one of the toolchain's own programs, and keeps the last lines of its output for the error.
func (i *Installer) run(ctx context.Context, out io.Writer, name string, args ...string) error {
	return i.runner.Run(ctx, command.Cmd{Name: name, Args: args, Env: i.listToolEnviron(), Stdout: out, Stderr: out})
}
