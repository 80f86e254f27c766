package rules_test

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// All targets of a namespace are in a file with the namespace's name: `version:bump` is in version.go.
func TestNamespacesAreFiles(t *testing.T) {
	namespaces, found := map[string]string{}, 0
	each := func(f func(name string, file *ast.File, set *token.FileSet)) {
		eachFile(t, func(p goPackage, name string, file *ast.File, set *token.FileSet) {
			if p.ImportPath == module+"magefiles/targets" {
				f(name, file, set)
			}
		})
	}
	each(func(name string, file *ast.File, set *token.FileSet) {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && isNamespace(spec.Type) {
				want := strings.ToLower(spec.Name.Name) + ".go"
				require.Equal(t, want, name, "%s: the namespace %s belongs in %s", set.Position(spec.Pos()), spec.Name.Name, want)
				namespaces[spec.Name.Name] = want
			}
			return true
		})
	})
	require.NotEmpty(t, namespaces)
	each(func(name string, file *ast.File, set *token.FileSet) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil {
				continue
			}
			if of, ok := f.Recv.List[0].Type.(*ast.Ident); ok && namespaces[of.Name] != "" {
				require.Equal(t, namespaces[of.Name], name, "%s: %s is a target of the namespace %s", set.Position(f.Pos()), f.Name.Name, of.Name)
				found++
			}
		}
	})
	require.Greater(t, found, len(namespaces))
}

// The magefile shown in adopting.md imports every namespace, including the optional ones.
func TestDocsImportEveryNamespace(t *testing.T) {
	_, block, found := strings.Cut(read(t, "../../docs/adopting.md"), "//go:build mage\n")
	require.True(t, found, "adopting.md shows no magefile")
	block, _, _ = strings.Cut(block, "```")
	imported := 0
	eachFile(t, func(p goPackage, _ string, file *ast.File, set *token.FileSet) {
		if !strings.HasPrefix(p.ImportPath+"/", module+"magefiles/targets/") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && isNamespace(spec.Type) {
				imported++
				require.Contains(t, block, `"`+p.ImportPath+`"`, "%s: the magefile of adopting.md does not import the namespace %s", set.Position(spec.Pos()), spec.Name.Name)
			}
			return true
		})
	})
	require.Greater(t, imported, 1)
}

// isNamespace reports whether a type is mg.Namespace.
func isNamespace(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "mg" && s.Sel.Name == "Namespace"
}
