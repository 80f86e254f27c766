// Package pixi is the toolchain that has the real pixi do everything: run tasks, build packages by `pixi publish` into
// a folder, install from a channel, lock. What it adds is what pixi leaves to its caller (pixi-facts.md §2): the order of
// packages that pin each other, a check of every artifact, never an old file in place of a new one, and errors that
// say what to do.
//
// [Find] takes the pixi on PATH, [Fetch] downloads the pinned one. Package pixitest has a stand-in for tests.
package pixi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Pixi is one pixi program. It implements toolchain.Toolchain.
type Pixi struct {
	path    string
	version string
	runner  command.Runner
	env     []string
	pass    []string // variables that tasks and builds get though they may hold a credential
	secrets []string // those that the packages of the workspace name for their builds, which an installation makes too
	keep    []string // variables that nothing of a workspace is built beside
}

// Pass lets tasks and builds have the variables that may hold a credential and that a workspace passes, and builds those that its packages
// name. Otherwise they get none.
func (p *Pixi) Pass(w *workspace.Workspace) *Pixi {
	with := *p
	with.pass, with.secrets = w.Config.Pass, nil
	for _, pkg := range w.Packages {
		with.secrets = append(with.secrets, pkg.Build.Secrets...)
	}
	return &with
}

// Keep withholds variables by which packages are fetched wherever something of a workspace may be built. A clean environment of what is
// published gets them.
func (p *Pixi) Keep(names ...string) *Pixi {
	with := *p
	with.keep = names
	return &with
}

// installEnviron returns the environment of what fetches packages, and builds those that are in the workspace: their code, and their backends', runs
// beside it.
func (p *Pixi) installEnviron() []string {
	env, _ := command.Withhold(command.Unset(p.env, p.keep...), slices.Concat(command.Fetching, p.secrets, p.pass)...)
	return env
}

// fetchEnviron returns the environment of what fetches packages into a clean environment, where nothing is built.
func (p *Pixi) fetchEnviron() []string {
	env, _ := command.Withhold(p.env, slices.Concat(command.Fetching, p.pass)...)
	return env
}

var _ toolchain.Toolchain = (*Pixi)(nil)

// Find takes the pixi on the PATH of env, which is also the environment that it runs in. Where there is none, the
// error has command.ErrNotFound in its chain.
func Find(ctx context.Context, r command.Runner, env []string) (*Pixi, error) {
	path, err := command.LookPath("pixi", env)
	if err != nil {
		return nil, operr.New("install pixi "+Version+", or go without it (PIPELINE_TOOLCHAIN=embedded)",
			"there is no pixi on PATH: %w", command.ErrNotFound)
	}
	return At(ctx, r, env, path)
}

// At takes the pixi at a path, such as the one that Fetch returns, and asks it for its version: one that is too old to
// publish packages is refused.
func At(ctx context.Context, r command.Runner, env []string, path string) (*Pixi, error) {
	p := &Pixi{path: path, runner: r, env: withoutOtherShell(env)}
	plain, _ := command.Withhold(p.env) // it is not known yet what it is
	out, err := command.Output(ctx, r, command.Cmd{Name: path, Args: []string{"--version"}, Env: plain})
	if err != nil {
		return nil, about(err, "asking %s for its version", path)
	}
	version, ok := strings.CutPrefix(strings.TrimSpace(out), "pixi ")
	number, valid := parseVersion(version)
	if !ok || !valid {
		return nil, operr.New("take another program off PATH, or install pixi "+Version,
			"%s is not pixi: asked for its version it says %.80q", path, out)
	}
	if number[0] < oldest[0] || number[0] == oldest[0] && number[1] < oldest[1] {
		return nil, operr.New("install the pinned pixi "+Version+" (`pixi self-update --version "+Version+"`)",
			"%s is pixi %s, and publishing packages needs %d.%d or newer", path, version, oldest[0], oldest[1])
	}
	p.version = version
	return p, nil
}

// withoutOtherShell takes away what would make pixi believe that it was started in the shell of another workspace.
func withoutOtherShell(env []string) []string {
	return command.Unset(env, "PIXI_IN_SHELL", "PIXI_PROJECT_MANIFEST")
}

// parseVersion reads major and minor of "0.77.0".
func parseVersion(s string) (number [2]int, ok bool) {
	parts := strings.SplitN(s, ".", 3)
	if len(parts) != 3 {
		return number, false
	}
	for i := range number {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return number, false
		}
		number[i] = n
	}
	return number, true
}

// Name implements toolchain.Toolchain.
func (p *Pixi) Name() string { return toolchain.Pixi }

// Ready implements toolchain.Toolchain: only pixi's solver knows, and says so when it is asked.
func (p *Pixi) Ready(context.Context) error { return nil }

// Describe implements toolchain.Toolchain: "pixi 0.77.0 (/usr/local/bin/pixi)", and the pinned version if it is another.
func (p *Pixi) Describe(context.Context) (string, error) {
	s := fmt.Sprintf("pixi %s (%s)", p.version, p.path)
	if p.version != Version {
		s += ", pinned is " + Version
	}
	return s, nil
}

// BuiltWith implements toolchain.Toolchain. Which backend a build takes is decided by a solver, and not known before.
func (p *Pixi) BuiltWith(context.Context, *workspace.Package) (string, error) {
	return fmt.Sprintf("pixi %s on %s", p.version, workspace.HostPlatform()), nil
}

// Reproducible implements toolchain.Toolchain: pixi's archives bear the time of their build.
func (p *Pixi) Reproducible() bool { return false }

// call runs pixi in a folder. Both outputs go to the writers; an error of pixi's own, which it writes to standard
// error, comes back as one that says what to do.
func (p *Pixi) call(ctx context.Context, dir string, stdout, stderr io.Writer, args ...string) error {
	return p.callWith(ctx, command.Cmd{Dir: dir, Args: args, Env: p.installEnviron(), Stdout: stdout, Stderr: stderr})
}

func (p *Pixi) callWith(ctx context.Context, c command.Cmd) error {
	said := &ending{}
	c.Name = p.path
	if c.Stderr == nil {
		c.Stderr = io.Discard
	}
	c.Stderr = io.MultiWriter(c.Stderr, said)
	err := p.runner.Run(ctx, c)
	var exit *command.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	return translate(exit, said.String(), p.env)
}

// ending keeps the last part of what is written to it.
type ending struct{ b []byte }

const mostSaid = 64 << 10

func (e *ending) Write(p []byte) (int, error) {
	e.b = append(e.b, p...)
	if len(e.b) > 2*mostSaid {
		e.b = bytes.Clone(e.b[len(e.b)-mostSaid:])
	}
	return len(p), nil
}

func (e *ending) String() string { return string(e.b) }
