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

// ofWorkTrees are the packages that read files of a work tree by names from it, where a pipe may stand for a file.
var ofWorkTrees = []string{
	"workspace/ignore", "workspace/manifest", "workspace/versionfile", "bump", "bump/copies", "changelog", "folders", "provenance", "sources", "adopt", "imagepin",
	"gitrepo/overlay", "gitrepo/lacking", "lint", "actions/runner", "actions/runner/standin", "actions/runner/glob",
}

// readsAnyway are functions there that read what is no file of a work tree, or has to be read whatever it is.
var readsAnyway = []string{
	"bump.readPlan",    // what a person hands over by a pipe
	"bump.Lying",       // in the repository's own folder
	"provenance.Of",    // in the repository's own folder
	"standin.ReadOnly", // of a remote that is made for a run
}

// TestFilesOfAWorkTreeEnd holds that these packages read by package beneath: os.Open waits for a pipe, and a device has no end.
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
	require.Empty(t, strings.Join(found, "\n"), "read it by beneath.Read, ReadAtMost or OpenFile")
}
