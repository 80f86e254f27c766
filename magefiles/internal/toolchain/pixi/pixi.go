// Package pixi implements a toolchain that uses the real pixi for everything: running tasks, building packages with `pixi publish` to a folder,
// installing from a channel, and locking. It adds what pixi leaves to its callers (pixi-facts.md §2): it orders packages that pin each other,
// checks every artifact, ensures that outdated files are not reused, and translates errors to messages with a next step.
//
// [Find] uses the pixi on PATH, and [Fetch] downloads the pinned version. Package pixitest has a stand-in for tests.
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

// Pixi is a pixi executable. It implements toolchain.Toolchain.
type Pixi struct {
	path    string
	version string
	runner  command.Runner
	env     []string
	pass    []string // variables passed to tasks and builds although they may hold a credential
	secrets []string // secrets that the workspace's packages list for their builds; installations can build too
	keep    []string // variables withheld from every call that may build a workspace package
}

// Pass returns a copy of p that passes more variables to tasks and builds: those that the workspace lists, even if they may hold a credential. Builds
// also get the secrets that their packages list. By default, variables that may hold a credential are not passed.
func (p *Pixi) Pass(w *workspace.Workspace) *Pixi {
	with := *p
	with.pass, with.secrets = w.Config.Pass, nil
	for _, pkg := range w.Packages {
		with.secrets = append(with.secrets, pkg.Build.Secrets...)
	}
	return &with
}

// Keep returns a copy of p that withholds the named variables, which are used for fetching packages, from every pixi call that may build a
// workspace package. They are still passed when published packages are installed into a clean environment.
func (p *Pixi) Keep(names ...string) *Pixi {
	with := *p
	with.keep = names
	return &with
}

// installEnviron returns the environment variables for calls that fetch packages and build workspace packages, which runs the packages' code and
// their backends.
func (p *Pixi) installEnviron() []string {
	env, _ := command.Withhold(command.Unset(p.env, p.keep...), slices.Concat(command.Fetching, p.secrets, p.pass)...)
	return env
}

// fetchEnviron returns the environment variables for calls that fetch packages into a clean environment and build nothing.
func (p *Pixi) fetchEnviron() []string {
	env, _ := command.Withhold(p.env, slices.Concat(command.Fetching, p.pass)...)
	return env
}

var _ toolchain.Toolchain = (*Pixi)(nil)

// Find returns the pixi on the PATH of env, which is also the environment in which pixi runs. If there is no pixi, the error wraps
// command.ErrNotFound.
func Find(ctx context.Context, r command.Runner, env []string) (*Pixi, error) {
	path, err := command.LookPath("pixi", env)
	if err != nil {
		return nil, operr.New("install pixi "+Version+", or work without pixi (PIPELINE_TOOLCHAIN=embedded)",
			"there is no pixi on PATH: %w", command.ErrNotFound)
	}
	return At(ctx, r, env, path)
}

// At returns the pixi at the given path, such as one returned by Fetch, after querying its version. It returns an error if the version is too old
// to publish packages.
func At(ctx context.Context, r command.Runner, env []string, path string) (*Pixi, error) {
	p := &Pixi{path: path, runner: r, env: withoutOtherShell(env)}
	plain, _ := command.Withhold(p.env) // without credentials, because the program may not be pixi
	out, err := command.Output(ctx, r, command.Cmd{Name: path, Args: []string{"--version"}, Env: plain})
	if err != nil {
		return nil, addContext(err, "asking %s for its version", path)
	}
	version, ok := strings.CutPrefix(strings.TrimSpace(out), "pixi ")
	number, valid := parseVersion(version)
	if !ok || !valid {
		return nil, operr.New("remove this program from PATH, or install pixi "+Version,
			"%s is not pixi: its output for --version is %.80q", path, out)
	}
	if number[0] < oldest[0] || number[0] == oldest[0] && number[1] < oldest[1] {
		return nil, operr.New("install the pinned pixi "+Version+" (`pixi self-update --version "+Version+"`)",
			"%s is pixi %s, but publishing packages needs pixi %d.%d or newer", path, version, oldest[0], oldest[1])
	}
	p.version = version
	return p, nil
}

// withoutOtherShell removes variables that would make pixi assume that it runs inside another workspace's shell.
func withoutOtherShell(env []string) []string {
	return command.Unset(env, "PIXI_IN_SHELL", "PIXI_PROJECT_MANIFEST")
}

// parseVersion returns the major and minor version in text such as "0.77.0".
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

// Ready implements toolchain.Toolchain. It is a no-op, because problems are only known to pixi's solver, which reports them when it runs.
func (p *Pixi) Ready(context.Context) error { return nil }

// Describe implements toolchain.Toolchain. It returns "pixi 0.77.0", and the pinned version if it differs.
func (p *Pixi) Describe(context.Context) (string, error) {
	s := "pixi " + p.version
	if p.version != Version {
		s += ", but the pinned version is " + Version
	}
	return s, nil
}

// BuiltWith implements toolchain.Toolchain. The backend is not included, because the solver selects it during the build.
func (p *Pixi) BuiltWith(context.Context, *workspace.Package) (string, error) {
	return fmt.Sprintf("pixi %s on %s", p.version, workspace.HostPlatform()), nil
}

// Reproducible implements toolchain.Toolchain. It returns false because pixi's archives contain the build time.
func (p *Pixi) Reproducible() bool { return false }

// call runs pixi in a folder and copies its output to the writers. If pixi itself reports an error on standard error, call returns an error with
// a next step.
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

// ending is a writer that keeps only the last bytes written.
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
