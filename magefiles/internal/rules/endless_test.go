package rules_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ofWorkTrees lists the packages that read files in a work tree by names found there. Such a file could be a pipe.
var ofWorkTrees = []string{
	"workspace/ignore", "workspace/manifest", "workspace/versionfile", "bump", "bump/copies", "changelog", "folders", "provenance", "sources", "adopt", "imagepin",
	"gitrepo/overlay", "gitrepo/lacking", "lint", "actions/runner", "actions/runner/standin", "actions/runner/glob",
}

// readsAnyway lists functions of these packages that read files outside of a work tree, or that must accept pipes.
var readsAnyway = []string{
	"bump.readPlan",    // reads the user's input, which may be a pipe
	"bump.Lying",       // reads a file in the git directory
	"provenance.Of",    // reads files in the git directory
	"standin.ReadOnly", // reads files of a remote that was created for the run
}

// TestFilesOfAWorkTreeEnd checks that the packages in ofWorkTrees read files with package beneath: os.Open would block on a pipe, and reading a
// device might never end.
func TestFilesOfAWorkTreeEnd(t *testing.T) {
	var found []string
	eachFile(t, func(p goPackage, _ string, file *ast.File, set *token.FileSet) {
		if !slices.Contains(ofWorkTrees, strings.TrimPrefix(p.ImportPath, internal)) {
			return
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || slices.Contains(readsAnyway, file.Name.Name+"."+f.Name.Name) {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok || s.Sel.Name != "ReadFile" && s.Sel.Name != "Open" {
					return true
				}
				if id, ok := s.X.(*ast.Ident); ok && id.Name == "os" {
					found = append(found, fmt.Sprintf("%s: os.%s in %s", set.Position(n.Pos()), s.Sel.Name, f.Name.Name))
				}
				return true
			})
		}
	})
	require.Empty(t, strings.Join(found, "\n"), "read this file with beneath.Read, ReadAtMost or OpenFile")
}
