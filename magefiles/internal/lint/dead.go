package lint

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// reached compiles the magefile for another platform as Mage does, and looks in what Mage has made of it for functions that nothing
// reaches: neither a target nor a program of the module. What tests alone reach belongs to them.
func (g golang) reached(ctx context.Context) error {
	if !g.has("magefiles/magefile.go") {
		return nil
	}
	dir, done, err := g.generated(ctx)
	if err != nil {
		return err
	}
	defer done()
	programs, err := command.Output(ctx, g.Runner, command.Cmd{
		Name:   "go",
		Args:   []string{"list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./..."},
		Dir:    g.Workspace.Root,
		Env:    g.goEnv(),
		Stderr: g.out,
	})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	err = g.Runner.Run(ctx, command.Cmd{
		Name:   "go",
		Args:   append([]string{"tool", "-modfile=" + moduleFile, "deadcode", "-test=false", "-tags=mage", "./" + dir}, people(programs)...),
		Dir:    g.Workspace.Root,
		Env:    g.goEnv(),
		Stdout: &out,
		Stderr: g.out,
	})
	if err != nil {
		_, _ = g.out.Write(out.Bytes())
		return err
	}
	dead, err := withoutExamples(g.Workspace.Root, out.String()) // deadcode ends well whatever it finds
	if err != nil || len(dead) == 0 {
		return err
	}
	_, _ = g.out.Write([]byte(strings.Join(dead, "\n") + "\n"))
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
		text, err := beneath.Read(file)
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
func (g golang) generated(ctx context.Context) (dir string, done func(), err error) {
	hidden := filepath.Join(g.Workspace.Root, manifest.PixiDir)
	if err := os.MkdirAll(hidden, 0o755); err != nil {
		return "", nil, err
	}
	at, err := os.MkdirTemp(hidden, "magefile-*")
	if err != nil {
		return "", nil, err
	}
	remove := func() { _ = os.RemoveAll(at) }
	defer func() {
		if err != nil {
			remove()
		}
	}()
	magefile, err := beneath.Read(filepath.Join(g.Workspace.Root, "magefiles", "magefile.go"))
	if err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(filepath.Join(at, "magefile.go"), magefile, 0o644); err != nil {
		return "", nil, err
	}
	program := filepath.Join(at, "magefile")
	argv := []string{"go", "tool", "mage", "-d", at, "-keep", "-goos=darwin", "-goarch=arm64", "-compile=" + program}
	if err := g.run(ctx, nil, argv...); err != nil {
		return "", nil, operr.New("the lines above say why", "compiling the magefile for a Mac: %w", err)
	}
	kept := filepath.Join(at, "mage_output_file.go")
	text, err := beneath.Read(kept)
	if err != nil {
		return "", nil, err
	}
	_, text, _ = bytes.Cut(text, []byte("\npackage main\n")) // its constraint lets nobody else compile it
	if err := os.WriteFile(kept, append([]byte("//go:build mage\n\npackage main\n"), text...), 0o644); err != nil {
		return "", nil, err
	}
	rel, err := filepath.Rel(g.Workspace.Root, at)
	return filepath.ToSlash(rel), remove, err
}
