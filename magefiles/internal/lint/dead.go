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

// checkReached compiles the magefile for another platform as Mage does, and looks in Mage's output for functions that are not reached by a target or by a
// program of the module. Functions that only tests call belong in the tests.
func (g golang) checkReached(ctx context.Context) error {
	if !g.has("magefiles/magefile.go") {
		return nil
	}
	dir, done, err := g.generateMain(ctx)
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
	dead, err := withoutExamples(g.Workspace.Root, out.String()) // deadcode exits with 0 whatever it finds
	if err != nil || len(dead) == 0 {
		return err
	}
	_, _ = g.out.Write([]byte(strings.Join(dead, "\n") + "\n"))
	return operr.New("remove each of these functions, or move it to the tests that call it", "found %s that only tests call", operr.Count(len(dead), "function"))
}

// deadMethod matches a line of deadcode about a method. The groups are the file and the type.
var deadMethod = regexp.MustCompile(`^([^:]+):\d+:\d+: unreachable func: ([A-Z]\w*)\.`)

// withoutExamples returns the lines of deadcode, without those about methods of a type that has an Example of its name: such a type is for
// people who use the package in their own programs.
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

// people returns the programs that users run. The others belong to test support packages, which are named `…test`.
func people(programs string) []string {
	return slices.DeleteFunc(strings.Fields(programs), func(path string) bool {
		return slices.ContainsFunc(strings.Split(path, "/"), func(folder string) bool { return strings.HasSuffix(folder, "test") })
	})
}

// generateMain returns a folder of the module, by its path from the root, with the magefile and the program that Mage makes of it, compiled for another
// platform. Neither `./...` nor another Mage sees it.
func (g golang) generateMain(ctx context.Context) (dir string, done func(), err error) {
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
		return "", nil, operr.New("fix the errors in the lines above", "compiling the magefile for a Mac: %w", err)
	}
	kept := filepath.Join(at, "mage_output_file.go")
	text, err := beneath.Read(kept)
	if err != nil {
		return "", nil, err
	}
	_, text, _ = bytes.Cut(text, []byte("\npackage main\n")) // the build constraint would keep the compiler from compiling the file
	if err := os.WriteFile(kept, append([]byte("//go:build mage\n\npackage main\n"), text...), 0o644); err != nil {
		return "", nil, err
	}
	rel, err := filepath.Rel(g.Workspace.Root, at)
	return filepath.ToSlash(rel), remove, err
}
