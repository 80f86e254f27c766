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

// The maximum size of package targets, in lines without tests, is linesThen for the first targetsThen targets, plus linesForEach for each
// additional target.
const (
	targetsThen  = 31
	linesThen    = 2000
	linesForEach = 40
)

// Package targets only parses flags and shows results. Logic belongs in packages that take plain values, where it is easier to test and to find.
func TestTargetsStaysSmall(t *testing.T) {
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

// linesOfAPackage is the maximum number of lines in a package, without tests. A larger package probably has more than one job.
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
		require.LessOrEqual(t, n, linesOfAPackage, "%s has %d lines: move files that do not depend on the others into a separate package", name, n)
	}
}

// isTarget reports whether Mage turns a function into a target: it is exported, is not a method of anything but a namespace, and takes a context
// followed by values that can be parsed from a command line.
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
