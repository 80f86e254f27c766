package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// environmentFile is the only file that reads the environment, so that all variables that the pipeline depends on are visible in one place. Other
// packages get the values from their callers, which may be tests.
const environmentFile = "wire.go"

func TestOnlyWireReadsTheEnvironment(t *testing.T) {
	forbidden := []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv", "Unsetenv", "UserCacheDir", "UserHomeDir"}
	bites := false
	eachFile(t, func(p goPackage, name string, file *ast.File, set *token.FileSet) {
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := s.X.(*ast.Ident)
			if !ok || x.Name != "os" || !slices.Contains(forbidden, s.Sel.Name) {
				return true
			}
			wire := strings.HasSuffix(p.ImportPath, "/targets") && name == environmentFile
			require.True(t, wire, "%s: os.%s: only targets/%s may read the environment", set.Position(s.Pos()), s.Sel.Name, environmentFile)
			bites = true
			return true
		})
	})
	require.True(t, bites, "nothing reads the environment any more: delete this rule")
	given := false
	eachFile(t, func(p goPackage, name string, file *ast.File, set *token.FileSet) {
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && (x.Name == "variables" && s.Sel.Name == "Variables" || x.Name == "env" && strings.HasSuffix(p.ImportPath, "/targets")) {
				require.Equal(t, environmentFile, name, "%s: only targets/%s may use the values of the environment", set.Position(s.Pos()), environmentFile)
				given = true
			}
			return true
		})
	})
	require.True(t, given, "package variables gets no environment any more: delete this rule")
}

// TestTemporaryFoldersAreScratch checks that temporary files are created where the next run removes them if this run is killed.
func TestTemporaryFoldersAreScratch(t *testing.T) {
	eachFile(t, func(_ goPackage, _ string, file *ast.File, set *token.FileSet) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || s.Sel.Name != "MkdirTemp" && s.Sel.Name != "CreateTemp" {
				return true
			}
			dir, ok := call.Args[0].(*ast.BasicLit)
			require.False(t, ok && dir.Value == `""`, "%s: files of os.%s in the folder for temporary files stay after a kill: use scratch.Make", set.Position(call.Pos()), s.Sel.Name)
			return true
		})
	})
}

// TestDocsHaveTheEnvironment checks that environment.md documents every variable that is read by name.
func TestDocsHaveTheEnvironment(t *testing.T) {
	_, section, found := strings.Cut(read(t, filepath.Join("..", "..", "docs", "environment.md")), "\n## Environment\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	read := map[string]bool{}
	eachFile(t, func(p goPackage, name string, file *ast.File, set *token.FileSet) {
		told := p.ImportPath == internal+"variables" // this package reads variables with a function named v
		if !told && (!strings.HasSuffix(p.ImportPath, "/targets") || name != environmentFile) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				if f.Sel.Name != "Getenv" && f.Sel.Name != "LookupEnv" {
					return true
				}
			case *ast.Ident:
				if !told || f.Name != "v" {
					return true
				}
			default:
				return true
			}
			if text, ok := call.Args[0].(*ast.BasicLit); ok && text.Kind == token.STRING {
				require.Contains(t, section, "`"+strings.Trim(text.Value, `"`)+"`", "%s: environment.md, \"Environment\", has no line for this variable", set.Position(text.Pos()))
				read[p.ImportPath] = true
			}
			return true
		})
	})
	require.Len(t, read, 2, "one of the two packages reads no variable by name any more: correct this rule")
}

// TestNoNamesOfOneRepository checks that the pipeline works for any repository: package names, paths and versions come from manifests.
func TestNoNamesOfOneRepository(t *testing.T) {
	names := []string{"foopack-", "foopack_", "myapp", "packages/core"}
	eachFile(t, func(_ goPackage, _ string, file *ast.File, set *token.FileSet) {
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
				for _, name := range names {
					require.NotContains(t, text.Value, name, "%s names a package of this repository", set.Position(text.Pos()))
				}
			}
			return true
		})
	})
}

func eachFile(t *testing.T, f func(p goPackage, name string, file *ast.File, set *token.FileSet)) {
	for _, p := range load(t) {
		if !strings.HasPrefix(p.ImportPath, module) || isSupport(strings.TrimPrefix(p.ImportPath, internal)) {
			continue
		}
		for _, name := range p.GoFiles {
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			f(p, name, file, set)
		}
	}
}
