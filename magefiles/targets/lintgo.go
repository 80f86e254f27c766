package targets

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// lintGo runs go vet and the pinned linters over the repository's module, where it is one.
func lintGo(ctx context.Context) error {
	return runJob(ctx, func(ctx context.Context, a *app) error {
		w, err := a.workspace()
		if err != nil || !exists(w, "go.mod") {
			return err
		}
		return a.job(ctx, "Go lint", "`mage fmt` formats; the rest is to be fixed by hand", func(g *group) error {
			if err := a.goTool(ctx, w, g, g, "go", "vet", "-tags=mage", "./..."); err != nil {
				return err
			}
			if unformatted, err := a.formatter(ctx, w, g, "-l"); err != nil || unformatted != "" {
				return errors.Join(err, notEmpty("these files are not formatted", unformatted))
			}
			if !exists(w, lintModule) {
				return nil
			}
			l := goLinter{app: a, w: w, g: g}
			return errors.Join(l.pinned(ctx), l.spelling(ctx), l.elsewhere(ctx), l.reached(ctx))
		})
	})
}

// goLinter runs the linters that the repository pins, each over all of the module, and goes on after a finding.
type goLinter struct {
	*app
	w *workspace.Workspace
	g *group
}

// tool runs a pinned linter; variables are set in its environment.
func (l goLinter) tool(ctx context.Context, variables []string, argv ...string) error {
	return l.runner.Run(ctx, command.Cmd{
		Name:   "go",
		Args:   append([]string{"tool", "-modfile=" + lintModule}, argv...),
		Dir:    l.w.Root,
		Env:    command.Setenv(l.goEnv(), variables...),
		Stdout: l.g,
		Stderr: l.g,
	})
}

func (l goLinter) pinned(ctx context.Context) (err error) {
	linters := [][]string{
		{"staticcheck", "-tags=mage", "./..."},
		{"go-errorlint", "-tags=mage", "./..."},
		{"nilerr", "-tags=mage", "./..."},
	}
	if !exists(l.w, lintPrograms) { // else it is run with them, over the same files
		linters = append(linters, []string{"actionlint"})
	}
	for _, linter := range linters {
		err = errors.Join(err, l.tool(ctx, nil, linter...))
	}
	return errors.Join(err, l.tool(ctx, []string{"GOFLAGS=-tags=mage"}, "unparam", "./..."))
}

// notMisspelled are words that are another's: GitHub's for the end of a run.
const notMisspelled = "cancelled"

// spelling looks for words that are misspelled, in every text that git knows, but for those of packages and downstreams: their words
// may be names that others use.
func (l goLinter) spelling(ctx context.Context) error {
	files, err := l.trackedFiles(ctx, l.w)
	if err != nil {
		return err
	}
	argv := []string{"misspell", "-error", "-locale=US", "-i=" + notMisspelled, "--"}
	for _, f := range files {
		switch filepath.Ext(f) {
		case ".go", ".md", ".sh", ".txtar", ".yml":
			if l.ofPackage(f) {
				continue
			}
			argv = append(argv, "./"+f)
		}
	}
	return l.tool(ctx, nil, argv...)
}

// ofPackage reports whether a file is one of a package or of a downstream.
func (l goLinter) ofPackage(file string) bool {
	below := func(dir string) bool { return dir != "." && strings.HasPrefix(file, dir+"/") }
	return slices.ContainsFunc(l.w.Packages, func(p *workspace.Package) bool { return below(p.Dir) }) ||
		slices.ContainsFunc(l.w.Downstreams, func(d *workspace.Downstream) bool { return below(d.Dir) })
}

// mac is the platform that developers have beside Linux.
var mac = []string{"GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0"}

// elsewhere looks at the files of another platform, which nothing here compiles.
func (l goLinter) elsewhere(ctx context.Context) error {
	err := l.runner.Run(ctx, command.Cmd{
		Name:   "go",
		Args:   []string{"vet", "-tags=mage", "./..."},
		Dir:    l.w.Root,
		Env:    command.Setenv(l.goEnv(), mac...),
		Stdout: l.g,
		Stderr: l.g,
	})
	if err != nil {
		return operr.New("the lines above are of files for that platform: "+strings.Join(mac[:2], " ")+" go vet -tags=mage ./...", "on a Mac: %w", err)
	}
	return nil
}

// reached compiles the magefile for another platform as Mage does, and looks in what Mage has made of it for functions that nothing
// reaches: neither a target nor a program of the module. What tests alone reach belongs to them.
func (l goLinter) reached(ctx context.Context) error {
	if !exists(l.w, "magefiles/magefile.go") {
		return nil
	}
	dir, done, err := l.generated(ctx)
	if err != nil {
		return err
	}
	defer done()
	programs, err := command.Output(ctx, l.runner, command.Cmd{
		Name:   "go",
		Args:   []string{"list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./..."},
		Dir:    l.w.Root,
		Env:    l.goEnv(),
		Stderr: l.g,
	})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	err = l.runner.Run(ctx, command.Cmd{
		Name:   "go",
		Args:   append([]string{"tool", "-modfile=" + lintModule, "deadcode", "-test=false", "-tags=mage", "./" + dir}, people(programs)...),
		Dir:    l.w.Root,
		Env:    l.goEnv(),
		Stdout: &out,
		Stderr: l.g,
	})
	if err != nil {
		_, _ = l.g.Write(out.Bytes())
		return err
	}
	dead, err := withoutExamples(l.w.Root, out.String()) // deadcode ends well whatever it finds
	if err != nil || len(dead) == 0 {
		return err
	}
	_, _ = l.g.Write([]byte(strings.Join(dead, "\n") + "\n"))
	return operr.New("move each to the tests that reach it, or remove it", "%s that nothing but tests reaches", operr.Count(len(dead), "function"))
}

// deadMethod is a line of deadcode about a method: its file, and the type.
var deadMethod = regexp.MustCompile(`^([^:]+):\d+:\d+: unreachable func: ([A-Z]\w*)\.`)

// withoutExamples are the lines of deadcode that are not about a method of a type with an Example of its name: such a type is there for whoever
// builds on the package.
func withoutExamples(root, found string) (dead []string, err error) {
	for line := range strings.Lines(found) {
		line = strings.TrimRight(line, "\n")
		shown := false
		if m := deadMethod.FindStringSubmatch(line); m != nil {
			if shown, err = hasExample(filepath.Join(root, filepath.Dir(m[1])), m[2]); err != nil {
				return nil, err
			}
		}
		if !shown {
			dead = append(dead, line)
		}
	}
	return dead, nil
}

// hasExample reports whether the tests in a folder have an Example of a type.
func hasExample(dir, of string) (bool, error) {
	tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return false, err
	}
	for _, file := range tests {
		text, err := os.ReadFile(file)
		if err != nil {
			return false, err
		}
		if bytes.Contains(text, []byte("\nfunc Example"+of+"(")) {
			return true, nil
		}
	}
	return false, nil
}

// people are those of the programs that people run. The others belong to packages that serve tests, which are named `…test`.
func people(programs string) []string {
	return slices.DeleteFunc(strings.Fields(programs), func(path string) bool {
		return slices.ContainsFunc(strings.Split(path, "/"), func(folder string) bool { return strings.HasSuffix(folder, "test") })
	})
}

// generated is a folder of the module, by its path from the root, with the magefile and the program that Mage makes of it, compiled for
// another platform. `./...` does not see it, nor another Mage.
func (l goLinter) generated(ctx context.Context) (dir string, done func(), err error) {
	hidden := filepath.Join(l.w.Root, ".pixi")
	if err := os.MkdirAll(hidden, 0o755); err != nil {
		return "", nil, err
	}
	at, err := os.MkdirTemp(hidden, "magefile-*")
	if err != nil {
		return "", nil, err
	}
	done = func() { _ = os.RemoveAll(at) }
	defer func() {
		if err != nil {
			done()
		}
	}()
	magefile, err := os.ReadFile(filepath.Join(l.w.Root, "magefiles", "magefile.go"))
	if err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(filepath.Join(at, "magefile.go"), magefile, 0o644); err != nil {
		return "", nil, err
	}
	program := filepath.Join(at, "magefile")
	argv := []string{"go", "tool", "mage", "-d", at, "-keep", "-goos=darwin", "-goarch=arm64", "-compile=" + program}
	if err := l.goTool(ctx, l.w, l.g, l.g, argv...); err != nil {
		return "", nil, operr.New("the lines above say why", "compiling the magefile for a Mac: %w", err)
	}
	kept := filepath.Join(at, "mage_output_file.go")
	text, err := os.ReadFile(kept)
	if err != nil {
		return "", nil, err
	}
	_, text, _ = bytes.Cut(text, []byte("\npackage main\n")) // its constraint lets nobody else compile it
	if err := os.WriteFile(kept, append([]byte("//go:build mage\n\npackage main\n"), text...), 0o644); err != nil {
		return "", nil, err
	}
	rel, err := filepath.Rel(l.w.Root, at)
	return filepath.ToSlash(rel), done, err
}
