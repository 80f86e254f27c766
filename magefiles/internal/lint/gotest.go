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

// Test runs the Go tests of the repository, where it has any.
func (l Linter) Test(ctx context.Context) error {
	packages, err := l.tested(ctx)
	if err != nil || len(packages) == 0 {
		return err
	}
	return l.Job(ctx, "Go tests", "see above; one package alone: go test ./magefiles/…", func(out io.Writer) error {
		pass := l.Workspace.Config.Pass
		env, withheld := command.Withhold(l.Environ, pass...)
		err := l.Runner.Run(ctx, command.Cmd{
			Name:    "go",
			Args:    append([]string{"test", "-timeout=4h"}, packages...),
			Dir:     l.Workspace.Root,
			Env:     env,
			Stdout:  out,
			Stderr:  out,
			Limited: true, // a package says nothing before it ends
		})
		toolchain.TellWithheld(out, err, withheld, pass)
		return err
	})
}

// tested lists the packages of the repository's module that have tests; none where it has no module.
func (l Linter) tested(ctx context.Context) ([]string, error) {
	if !l.has(gomodule.File) {
		return nil, nil
	}
	var said bytes.Buffer
	out, err := command.Output(ctx, l.Runner, command.Cmd{
		Name:   "go",
		Args:   []string{"list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "./..."},
		Dir:    l.Workspace.Root,
		Env:    l.goEnv("GOPROXY"),
		Stderr: &said, // it runs nothing of the repository
	})
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause // go has said nothing that could be fixed
	}
	if errors.Is(err, command.ErrNotFound) {
		return nil, operr.New("install Go", "the Go tests need the go command: %w", err)
	}
	if err != nil {
		return nil, operr.New("fix what go says", "listing the Go packages of %s: %w", l.Workspace.Root, err).WithDetail(said.String())
	}
	return strings.Fields(out), nil
}
