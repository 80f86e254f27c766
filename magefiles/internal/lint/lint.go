// Package lint checks a repository's files outside of its packages. It checks Go code with vet, a formatter, the tests and pinned linters. It checks
// workflows, shell scripts and Dockerfiles with pinned programs, and manifests for consistency. It skips kinds of files that the repository does not
// have, and linters that it does not pin.
package lint

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

const (
	// moduleFile is a module file beside go.mod. It pins linters by tool directives, so that a repository that imports the targets does not inherit
	// them.
	moduleFile = "magefiles/lint.mod"

	// programsFile pins, by hash, the linters of workflows and scripts that come from PyPI. It is beside moduleFile. Without it, none of them runs.
	programsFile = "magefiles/lint.txt"
)

// Linter checks the files of a workspace. Each method runs as one job, and returns the error of [Linter.Job].
type Linter struct {
	Runner    command.Runner
	Environ   []string // children get only the credentials that they need
	Workspace *workspace.Workspace

	// Job runs `f` and shows its output in one piece, below `name`. `next` is the next step if one of its child processes fails.
	Job func(ctx context.Context, name, next string, f func(out io.Writer) error) error

	// Programs installs the PyPI packages in the requirements file `pins`, and returns the folder of their programs. `what` describes the programs to
	// people.
	Programs func(ctx context.Context, what, pins string) (bin string, err error)
}

// Versions fails if the versions in the manifests are inconsistent.
func (l Linter) Versions(ctx context.Context) error {
	return l.Job(ctx, "versions", "", func(out io.Writer) error {
		if err := l.Workspace.NoPackages(); err != nil {
			return err
		}
		found := l.Workspace.Disagreements()
		for _, d := range found {
			fmt.Fprintf(out, "%s: %s\n", d.Pos, d.Message)
		}
		if len(found) > 0 {
			return operr.New("run `mage version:show`, which shows each disagreement and how to fix it", "the manifests disagree in %s", operr.Count(len(found), "place"))
		}
		return nil
	})
}

// `has` reports whether a path below the root exists.
func (l Linter) has(path string) bool {
	_, err := os.Stat(filepath.Join(l.Workspace.Root, path))
	return err == nil
}

// goEnv returns the environment of a go command, which fetches modules with NETRC, and may run programs that the repository's module files name.
func (l Linter) goEnv(pass ...string) []string {
	env, _ := command.Withhold(l.Environ, append(pass, "NETRC")...)
	return env
}

// golang runs Go's programs over the module of a repository, and shows their output in out.
type golang struct {
	Linter
	out io.Writer
}

// child returns the command of a Go program, or of a program that a module file pins. Its output is shown.
func (g golang) child(argv ...string) command.Cmd {
	return command.Cmd{
		Name:   argv[0],
		Args:   argv[1:],
		Dir:    g.Workspace.Root,
		Env:    g.goEnv(),
		Stdout: g.out,
		Stderr: g.out,
	}
}

// run runs a child with variables set in its environment.
func (g golang) run(ctx context.Context, variables []string, argv ...string) error {
	c := g.child(argv...)
	c.Env = command.Setenv(c.Env, variables...)
	return g.Runner.Run(ctx, c)
}
