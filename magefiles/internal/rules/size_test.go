package rules_test

import (
	"bytes"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// How large package targets may be, in lines without its tests: so many for the targets that there were when this was written, and so many
// for each that is added.
const (
	targetsThen  = 31
	linesThen    = 2000
	linesForEach = 40
)

// Package targets is a face. What decides is easier to test, and to find, in a package that is told everything in values.
func TestTargetsStaysAFace(t *testing.T) {
	lines, targets := 0, 0
	eachFile(t, func(p goPackage, name string, file *ast.File, _ *token.FileSet) {
		if p.ImportPath != module+"magefiles/targets" {
			return
		}
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		require.NoError(t, err)
		lines += bytes.Count(text, []byte("\n"))
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && isTarget(f) {
				targets++
			}
		}
	})
	most := linesThen + linesForEach*max(0, targets-targetsThen)
	require.NotZero(t, targets)
	require.LessOrEqual(t, lines, most, "magefiles/targets has %d lines for %d targets, and may have %d. A target reads its flags, builds the pipeline, makes one call, "+
		"and shows what came of it: move what decides, and what is said, to its room in magefiles/internal (ARCHITECTURE, \"Where is it\")", lines, targets, most)
	t.Logf("%d lines for %d targets, of %d", lines, targets, most)
}

// linesOfAPackage is how many lines a package may have without its tests: more than that has more than one job.
const linesOfAPackage = 2500

func TestPackagesHaveOneJob(t *testing.T) {
	lines := map[string]int{}
	eachFile(t, func(p goPackage, name string, _ *ast.File, _ *token.FileSet) {
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		require.NoError(t, err)
		lines[p.ImportPath] += bytes.Count(text, []byte("\n"))
	})
	require.Greater(t, len(lines), 50)
	for name, n := range lines {
		require.LessOrEqual(t, n, linesOfAPackage, "%s has %d lines: see which of its files know nothing of the others, and give them a package of their own", name, n)
	}
}

// isTarget reports whether Mage makes a target of a function: it is exported, of no receiver but a namespace, takes a context, and else
// what a command line has.
func isTarget(f *ast.FuncDecl) bool {
	if !f.Name.IsExported() || f.Recv != nil && len(f.Recv.List[0].Names) > 0 {
		return false
	}
	for i, p := range f.Type.Params.List {
		of := p.Type
		if star, ok := of.(*ast.StarExpr); ok {
			of = star.X
		}
		s, isSelector := of.(*ast.SelectorExpr)
		name, isName := of.(*ast.Ident)
		switch {
		case i == 0 && isSelector && s.Sel.Name == "Context":
		case i > 0 && isSelector && s.Sel.Name == "Duration":
		case i > 0 && isName && slices.Contains([]string{"string", "bool", "int"}, name.Name):
		default:
			return false
		}
	}
	return len(f.Type.Params.List) > 0
}
