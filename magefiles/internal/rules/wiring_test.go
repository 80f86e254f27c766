package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// implementations are what stands behind an interface of a package that is told what it works with: a function that makes one, or a type
// whose zero value is one. Which of them is taken is decided in targets/wire.go alone, so that a test, a rehearsal or the next server is
// another line there and no change elsewhere. by are the other files that may make one, each with the reason.
var implementations = []struct {
	of    string // package, below internal
	names []string
	by    map[string]string
}{
	{of: "command", names: []string{"NewSystem"}},
	{of: "oidc", names: []string{"Detect"}},
	{of: "github", names: []string{"New"}},
	{of: "toolchain/embedded", names: []string{"New"}},
	{of: "toolchain/pixi", names: []string{"Find", "At", "Fetch"}},
	{
		of:    "channel/prefixdev",
		names: []string{"New"},
		by: map[string]string{
			"imagejob/channel.go": "a channel of others is at the address that a manifest has, and is read alone: no other client can read it",
		},
	},
	{of: "localregistry", names: []string{"Start"}},
	{
		of:    "localprefix",
		names: []string{"Start"},
		by: map[string]string{
			"rehearsal/world.go": "its world is made of stand-ins: none of them is to be chosen from outside",
		},
	},
	{
		of:    "image/registry",
		names: []string{"Registry"},
		by: map[string]string{
			"imagejob/imagejob.go": "the registry is the one that the image's name has in it, and is asked by nothing else",
			"imagejob/pushed.go":   "likewise",
		},
	},
}

func TestOnlyWirePicksImplementations(t *testing.T) {
	bites := map[string]bool{}
	eachFile(t, func(p goPackage, name string, file *ast.File, set *token.FileSet) {
		where := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, internal), module+"magefiles/") + "/" + name
		for _, made := range makes(file) {
			for _, i := range implementations {
				if made.of != i.of || !slices.Contains(i.names, made.name) || strings.HasPrefix(where, i.of+"/") {
					continue
				}
				_, excepted := i.by[where]
				require.True(t, excepted || where == "targets/"+environmentFile,
					"%s: %s.%s: implementations are picked in targets/%s only; take an interface, or a function that makes one", set.Position(made.at), path.Base(made.of), made.name, environmentFile)
				bites[i.of+"."+made.name], bites[where] = true, true
			}
		}
	})
	for _, i := range implementations {
		for _, name := range i.names {
			require.True(t, bites[i.of+"."+name], "nothing makes %s.%s any more: take it out of the rule", path.Base(i.of), name)
		}
		for where := range i.by {
			require.True(t, bites[where], "%s makes none any more: take it out of the rule", where)
		}
	}
}

func TestWhatMakesAnImplementation(t *testing.T) {
	const head = "package x\n\nimport (\n\t\"" + internal + "image/registry\"\n\tother \"" + internal + "github\"\n)\n\n"
	for text, want := range map[string]string{
		"var _ = registry.Registry{}\n":                      "image/registry.Registry",
		"var _ = &registry.Registry{}\n":                     "image/registry.Registry",
		"var _ = new(registry.Registry)\n":                   "image/registry.Registry",
		"var _, _ = other.New(other.Options{})\n":            "github.New",
		"var make = other.New\n":                             "github.New",
		"func _(r *registry.Registry, _ other.Hub) {}\n":     "",
		"type hub struct{ registry *registry.Registry }\n":   "",
		"func _(github hub) { github.New() }\n":              "",
		"var registries map[string]*registry.Registry = nil": "",
	} {
		var found []string
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", head+text, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, made := range makes(file) {
			if made.name == "Registry" || made.name == "New" {
				found = append(found, made.of+"."+made.name)
			}
		}
		require.Equal(t, want, strings.Join(found, " "), text)
	}
}

// made is one place where a value of another package of ours may be made.
type made struct {
	of, name string
	at       token.Pos
}

// makes are those places: a function that is named, called or not, a literal of a type, and new of one. A type that is only named in a
// signature or a field makes nothing.
func makes(file *ast.File) (all []made) {
	packages := map[string]string{}
	for _, i := range file.Imports {
		imported, _ := strconv.Unquote(i.Path.Value)
		if of, ours := strings.CutPrefix(imported, internal); ours {
			name := path.Base(of)
			if i.Name != nil {
				name = i.Name.Name
			}
			packages[name] = of
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncType, *ast.StructType, *ast.MapType, *ast.InterfaceType, *ast.StarExpr:
			return false // types are only named
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && packages[x.Name] != "" {
				all = append(all, made{of: packages[x.Name], name: n.Sel.Name, at: n.Pos()})
			}
		}
		return true
	})
	return all
}
