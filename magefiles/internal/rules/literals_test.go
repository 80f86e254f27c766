package rules_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
)

// TestLiterals checks composite literals of structs: literals of our own types have keys, and a literal that spans several lines has keys and one
// field per line. A row of a test table may be on one line without keys.
func TestLiterals(t *testing.T) {
	found := literals(t, &packages.Config{Dir: filepath.Join("..", "..", ".."), BuildFlags: []string{"-tags=mage"}, Tests: true}, module)
	require.Empty(t, found, "write `Field: value`, with each field on a separate line")
}

func TestFindLiterals(t *testing.T) {
	const head = "package x\n\nimport \"net/url\"\n\nvar _ url.URL\n\ntype pair struct{ A, B int }\n\n"
	for name, c := range map[string]struct {
		text  string
		wrong int
	}{
		"keys on one line":            {"var _ = pair{A: 1, B: 2}\n", 0},
		"no keys":                     {"var _ = pair{1, 2}\n", 1},
		"no keys, in a slice":         {"var _ = []pair{{1, 2}, {A: 1}}\n", 1},
		"no keys, by a pointer":       {"var _ = map[string]*pair{\"a\": {1, 2}}\n", 1},
		"another's, without keys":     {"var _ = []url.Error{{\"a\", \"b\", nil}}\n", 0},
		"another's, on several lines": {"var _ = url.Error{\n\t\"a\", \"b\",\n\tnil,\n}\n", 1},
		"two on a line":               {"var _ = pair{\n\tA: 1, B: 2,\n}\n", 1},
		"one at the brace":            {"var _ = pair{A: 1,\n\tB: 2,\n}\n", 1},
		"one on each":                 {"var _ = pair{\n\tA: 1,\n\tB: 2,\n}\n", 0},
		"behind the end of another":   {"var _ = struct {\n\tF func()\n\tB int\n}{\n\tF: func() {\n\t}, B: 2,\n}\n", 1},
		"a single field":              {"var _ = struct{ F func() }{F: func() {\n}}\n", 0},
		"a table's rows":              {"var _ = []struct{ a, b string }{\n\t{\"a\", \"b\"},\n\t{\"c\", \"d\"},\n}\n", 0},
		"a slice and a map":           {"var _ = []int{\n\t1, 2,\n\t3,\n}\n\nvar _ = map[int]int{\n\t1: 1, 2: 2,\n}\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files := map[string]string{"go.mod": "module example.org/x\n\ngo 1.26\n", "x.go": head + c.text}
			for file, text := range files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644))
			}
			require.Len(t, literals(t, &packages.Config{Dir: dir}, "example.org/"), c.wrong)
		})
	}
}

// literals returns the positions of literals that break the rules of TestLiterals, in all packages of the module in config.Dir.
func literals(t *testing.T, config *packages.Config, ours string) (found []string) {
	t.Helper()
	config.Fset = token.NewFileSet()
	config.Mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedSyntax | packages.NeedTypes |
		packages.NeedTypesInfo | packages.NeedImports
	all, err := packages.Load(config, "./...")
	require.NoError(t, err)
	require.NotEmpty(t, all)
	seen := map[string]bool{}
	for _, p := range all {
		require.Empty(t, p.Errors, p.ID)
		for _, f := range p.Syntax {
			ast.Inspect(f, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok || len(lit.Elts) == 0 {
					return true
				}
				at := config.Fset.Position(lit.Pos()).String()
				if !seen[at] && !well(config.Fset, lit, p.TypesInfo.TypeOf(lit), ours) { // a package and its test variant contain the same files
					found = append(found, at)
				}
				seen[at] = true
				return true
			})
		}
	}
	return found
}

func well(fset *token.FileSet, lit *ast.CompositeLit, t types.Type, ours string) bool {
	if p, ok := types.Unalias(t).Underlying().(*types.Pointer); ok { // an element of a slice or map of pointers
		t = p.Elem()
	}
	if _, ok := t.Underlying().(*types.Struct); !ok {
		return true
	}
	_, keyed := lit.Elts[0].(*ast.KeyValueExpr)
	line := func(pos token.Pos) int { return fset.Position(pos).Line }
	if line(lit.Lbrace) == line(lit.Rbrace) || len(lit.Elts) == 1 {
		return keyed || !isOurs(fset, t, ours)
	}
	last := line(lit.Lbrace)
	for _, e := range lit.Elts {
		if line(e.Pos()) == last {
			return false
		}
		last = line(e.End())
	}
	return keyed && line(lit.Rbrace) != last
}

// isOurs reports whether a type is a named type of one of our packages, declared at package level outside of tests.
func isOurs(fset *token.FileSet, t types.Type, ours string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Parent() != named.Obj().Pkg().Scope() {
		return false
	}
	return strings.HasPrefix(named.Obj().Pkg().Path()+"/", ours) && !strings.HasSuffix(fset.Position(named.Obj().Pos()).Filename, "_test.go")
}
