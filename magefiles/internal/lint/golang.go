package lint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Go runs go vet, the formatter and the pinned linters over the repository's module, if it has one.
func (l Linter) Go(ctx context.Context) error {
	if !l.has(gomodule.File) {
		return nil
	}
	return l.Job(ctx, "Go lint", "run `mage fmt` to fix the formatting; fix the other findings by hand", func(out io.Writer) error {
		g := golang{Linter: l, out: out}
		if err := g.run(ctx, nil, "go", "vet", "-tags=mage", "./..."); err != nil {
			return err
		}
		if unformatted, err := g.formatter(ctx, "-l"); err != nil || unformatted != "" {
			return errors.Join(err, notEmpty("these files are not formatted", unformatted))
		}
		if !l.has(moduleFile) {
			return nil
		}
		return errors.Join(g.runPinned(ctx), g.spelling(ctx), g.vetElsewhere(ctx), g.checkReached(ctx))
	})
}

// Format formats Go in place.
func (l Linter) Format(ctx context.Context) error {
	if !l.has(gomodule.File) {
		return nil
	}
	return l.Job(ctx, "Go format", "", func(out io.Writer) error {
		_, err := golang{Linter: l, out: out}.formatter(ctx, "-l", "-w")
		return err
	})
}

// formatter runs gofumpt if it is pinned, otherwise gofmt, over the magefiles, and returns the output.
func (g golang) formatter(ctx context.Context, flags ...string) (string, error) {
	argv := []string{"gofmt"}
	if g.has(moduleFile) {
		argv = []string{"go", "tool", "-modfile=" + moduleFile, "gofumpt"}
	}
	where := "magefiles"
	if !g.has(where) {
		where = "."
	}
	var out bytes.Buffer
	c := g.child(append(append(argv, flags...), where)...)
	c.Stdout = &out
	err := g.Runner.Run(ctx, c)
	_, _ = g.out.Write(out.Bytes())
	return strings.TrimSpace(out.String()), err
}

func notEmpty(message, text string) error {
	if text == "" {
		return nil
	}
	return fmt.Errorf("%s: %s", message, strings.Join(strings.Fields(text), ", "))
}

// tool runs a linter that the repository pins; variables are set in its environment.
func (g golang) tool(ctx context.Context, variables []string, argv ...string) error {
	return g.run(ctx, variables, append([]string{"go", "tool", "-modfile=" + moduleFile}, argv...)...)
}

// runPinned runs the linters that the repository pins, each over the whole module, and continues after a finding.
func (g golang) runPinned(ctx context.Context) (err error) {
	linters := [][]string{
		{"staticcheck", "-tags=mage", "./..."},
		{"go-errorlint", "-tags=mage", "./..."},
		{"nilerr", "-tags=mage", "./..."},
	}
	if !g.has(programsFile) { // otherwise Files runs it, over the same files
		linters = append(linters, []string{"actionlint"})
	}
	for _, linter := range linters {
		err = errors.Join(err, g.tool(ctx, nil, linter...))
	}
	return errors.Join(err, g.tool(ctx, []string{"GOFLAGS=-tags=mage"}, "unparam", "./..."))
}

// notMisspelled lists spellings that we cannot change: a GitHub status, and a common name of license files.
const notMisspelled = "cancelled,licence"

// spelling looks for misspelled words in all tracked text files, except in packages and downstreams, where they may be names that others use.
func (g golang) spelling(ctx context.Context) error {
	files, err := gitrepo.TrackedFiles(ctx, g.Runner, g.Workspace.Root)
	if err != nil {
		return err
	}
	argv := []string{"misspell", "-error", "-locale=US", "-i=" + notMisspelled, "--"}
	for _, f := range files {
		switch filepath.Ext(f) {
		case ".go", ".md", ".sh", ".txtar", ".yml":
			if g.ofPackage(f) || path.Base(f) == changelog.File { // a changelog has names of packages
				continue
			}
			argv = append(argv, "./"+f)
		}
	}
	return g.tool(ctx, nil, argv...)
}

// ofPackage reports whether a file belongs to a package or a downstream.
func (g golang) ofPackage(file string) bool {
	below := func(dir string) bool { return dir != "." && strings.HasPrefix(file, dir+"/") }
	return slices.ContainsFunc(g.Workspace.Packages, func(p *workspace.Package) bool { return below(p.Dir) }) ||
		slices.ContainsFunc(g.Workspace.Downstreams, func(d *workspace.Downstream) bool { return below(d.Dir) })
}

// mac is the platform that developers use besides Linux.
var mac = []string{"GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0"}

// `vetElsewhere` checks the files of another platform. Vet compiles each package only for its types: nothing runs there, and optimizing would cost a
// third more.
func (g golang) vetElsewhere(ctx context.Context) error {
	if err := g.run(ctx, mac, "go", "vet", "-gcflags=all=-N -l", "-tags=mage", "./..."); err != nil {
		return operr.New("fix the errors in the lines above; to see them again, run `"+strings.Join(mac[:2], " ")+" go vet -tags=mage ./...`", "checking the code for a Mac: %w", err)
	}
	return nil
}
