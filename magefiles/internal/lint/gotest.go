package lint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// Test runs the Go tests of the repository, if it has any.
func (l Linter) Test(ctx context.Context) error {
	packages, err := l.listTested(ctx)
	if err != nil || len(packages) == 0 {
		return err
	}
	return l.Job(ctx, "Go tests", "see the output above; to test only one package, run `go test ./magefiles/internal/NAME`", func(out io.Writer) error {
		pass := l.Workspace.Config.Pass
		env, withheld := command.Withhold(l.Environ, pass...)
		err := l.Runner.Run(ctx, command.Cmd{
			Name:    "go",
			Args:    append([]string{"test", "-timeout=4h"}, packages...),
			Dir:     l.Workspace.Root,
			Env:     env,
			Stdout:  out,
			Stderr:  out,
			Limited: true, // go test prints a package's output only at the end
		})
		toolchain.TellWithheld(out, err, withheld, pass)
		return err
	})
}

// listTested lists the packages of the repository's module that have tests; none if it has no module.
func (l Linter) listTested(ctx context.Context) ([]string, error) {
	if !l.has(gomodule.File) {
		return nil, nil
	}
	var said bytes.Buffer
	out, err := command.Output(ctx, l.Runner, command.Cmd{
		Name:   "go",
		Args:   []string{"list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "./..."},
		Dir:    l.Workspace.Root,
		Env:    l.goEnv("GOPROXY"),
		Stderr: &said, // go list runs nothing of the repository
	})
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause // go has printed nothing that could be fixed
	}
	if errors.Is(err, command.ErrNotFound) {
		return nil, operr.New("install Go", "the Go tests need the go command: %w", err)
	}
	if err != nil {
		return nil, operr.New("fix the errors that go reports", "listing the Go packages of %s: %w", l.Workspace.Root, err).WithDetail(said.String())
	}
	return strings.Fields(out), nil
}
