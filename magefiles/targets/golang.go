package targets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// lintModule is a module file beside go.mod that pins linters by tool directives, so that a repository which imports the
// targets does not inherit them.
const lintModule = "magefiles/lint.mod"

// testGo runs the Go tests of the repository, where it has any.
func testGo(ctx context.Context) error {
	return jobInWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		packages, err := a.goPackages(ctx, w)
		if err != nil || len(packages) == 0 {
			return err
		}
		return a.job(ctx, "Go tests", "see above; one package alone: go test ./magefiles/…", func(g *group) error {
			env, withheld := command.Withhold(a.runner.Environ(), w.Config.Pass...)
			err := a.runner.Run(ctx, command.Cmd{
				Name:    "go",
				Args:    append([]string{"test", "-timeout=4h"}, packages...),
				Dir:     w.Root,
				Env:     env,
				Stdout:  g,
				Stderr:  g,
				Limited: true, // a package says nothing before it ends
			})
			toolchain.TellWithheld(g, err, withheld, w.Config.Pass)
			return err
		})
	})
}

// goPackages lists the packages of the repository's module that have tests; none where it has no module.
func (a *app) goPackages(ctx context.Context, w *workspace.Workspace) ([]string, error) {
	if _, err := os.Stat(filepath.Join(w.Root, "go.mod")); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var said bytes.Buffer
	out, err := command.Output(ctx, a.runner, command.Cmd{
		Name:   "go",
		Args:   []string{"list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "./..."},
		Dir:    w.Root,
		Env:    a.goEnv("GOPROXY"),
		Stderr: &said, // it runs nothing of the repository
	})
	if errors.Is(err, command.ErrNotFound) {
		return nil, operr.New("install Go", "the Go tests need the go command: %w", err)
	}
	if err != nil {
		return nil, operr.New("fix what go says", "listing the Go packages of %s: %w", w.Root, err).WithDetail(said.String())
	}
	return strings.Fields(out), nil
}

// goEnv is the environment of a go command, which fetches modules by NETRC, and may run what the repository's module files name.
func (a *app) goEnv(pass ...string) []string {
	env, _ := command.Withhold(a.runner.Environ(), append(pass, "NETRC")...)
	return env
}

// goTool runs a program of Go's, or one that a module file pins.
func (a *app) goTool(ctx context.Context, w *workspace.Workspace, out, said io.Writer, argv ...string) error {
	return a.runner.Run(ctx, command.Cmd{Name: argv[0], Args: argv[1:], Dir: w.Root, Env: a.goEnv(), Stdout: out, Stderr: said})
}

// formatGo formats Go in place.
func formatGo(ctx context.Context) error {
	return runJob(ctx, func(ctx context.Context, a *app) error {
		w, err := a.workspace()
		if err != nil || !exists(w, "go.mod") {
			return err
		}
		return a.job(ctx, "Go format", "", func(g *group) error {
			_, err := a.formatter(ctx, w, g, "-l", "-w")
			return err
		})
	})
}

// formatter runs gofumpt where it is pinned, else gofmt, over the magefiles and returns what it printed.
func (a *app) formatter(ctx context.Context, w *workspace.Workspace, g *group, flags ...string) (string, error) {
	argv := []string{"gofmt"}
	if exists(w, lintModule) {
		argv = []string{"go", "tool", "-modfile=" + lintModule, "gofumpt"}
	}
	var out bytes.Buffer
	where := "magefiles"
	if !exists(w, where) {
		where = "."
	}
	argv = append(append(argv, flags...), where)
	err := a.goTool(ctx, w, &out, g, argv...)
	_, _ = g.Write(out.Bytes())
	return strings.TrimSpace(out.String()), err
}

func notEmpty(message, text string) error {
	if text == "" {
		return nil
	}
	return fmt.Errorf("%s: %s", message, strings.Join(strings.Fields(text), ", "))
}

func exists(w *workspace.Workspace, path string) bool {
	_, err := os.Stat(filepath.Join(w.Root, path))
	return err == nil
}
