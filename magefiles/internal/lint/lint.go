// Package lint checks what a repository has beside its packages: its Go, by vet, a formatter, its tests and the linters that it pins;
// its workflows, shell scripts and Dockerfiles, by the programs that it pins; and whether its manifests agree. What a repository does not
// have, or does not pin, is passed over.
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
	// moduleFile is a module file beside go.mod that pins linters by tool directives, so that a repository which imports the
	// targets does not inherit them.
	moduleFile = "magefiles/lint.mod"

	// programsFile pins the linters of workflows and scripts that come from PyPI, by hash, beside moduleFile. Without it, none of
	// them is run.
	programsFile = "magefiles/lint.txt"
)

// Linter checks the files of a workspace. Each of its methods is one job, and its error is that of [Linter.Job].
type Linter struct {
	Runner    command.Runner
	Environ   []string // of which no child gets a credential that it does not need
	Workspace *workspace.Workspace

	// Job shows what f writes in one piece, under a name. next is what to do where a child of it has failed.
	Job func(ctx context.Context, name, next string, f func(out io.Writer) error) error

	// Programs installs what pins, a file of requirements, names of PyPI, and returns the folder of their programs. what names them
	// for people.
	Programs func(ctx context.Context, what, pins string) (bin string, err error)
}

// Versions fails where the manifests contradict each other.
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
			return operr.New("run `mage version:show`, which names them and the ways out", "the manifests disagree in %s", operr.Count(len(found), "place"))
		}
		return nil
	})
}

// has reports whether something is at a path below the root.
func (l Linter) has(path string) bool {
	_, err := os.Stat(filepath.Join(l.Workspace.Root, path))
	return err == nil
}

// goEnv is the environment of a go command, which fetches modules by NETRC, and may run what the repository's module files name.
func (l Linter) goEnv(pass ...string) []string {
	env, _ := command.Withhold(l.Environ, append(pass, "NETRC")...)
	return env
}

// golang runs programs of Go's over the module of a repository; out shows what they write.
type golang struct {
	Linter
	out io.Writer
}

// child is a program of Go's, or one that a module file pins. What it writes is shown.
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
