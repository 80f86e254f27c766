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

// implementations lists the implementations of interfaces that packages get from their callers: constructors, and types whose zero value is usable.
// Only targets/wire.go selects an implementation, so that replacing a server means changing one line in that file. `by` lists the other files that
// may create the implementation, each with the reason.
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
			"imagejob/channel.go": "another channel is at the address in a manifest, and is only read: no other client can read it",
		},
	},
	{of: "localregistry", names: []string{"Start"}},
	{
		of:    "localprefix",
		names: []string{"Start"},
		by: map[string]string{
			"rehearsal/world.go": "a rehearsal uses only stand-ins, so nothing outside chooses an implementation",
		},
	},
	{
		of:    "image/registry",
		names: []string{"Registry"},
		by: map[string]string{
			"imagejob/imagejob.go": "the image's name determines the registry, and nothing else uses this registry",
			"imagejob/pushed.go":   "likewise",
		},
	},
}

func TestOnlyWireChoosesImplementations(t *testing.T) {
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
					"%s: %s.%s: only targets/%s may choose implementations; accept an interface, or a function that returns one", set.Position(made.at), path.Base(made.of), made.name, environmentFile)
				bites[i.of+"."+made.name], bites[where] = true, true
			}
		}
	})
	for _, i := range implementations {
		for _, name := range i.names {
			require.True(t, bites[i.of+"."+name], "nothing creates %s.%s any more: remove it from this rule", path.Base(i.of), name)
		}
		for where := range i.by {
			require.True(t, bites[where], "%s creates no implementation any more: remove it from this rule", where)
		}
	}
}

func TestConstructorsOfImplementations(t *testing.T) {
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

// `made` is a place where a value of another of our packages may be created.
type made struct {
	of, name string
	at       token.Pos
}

// `makes` returns the places in a file where values may be created: a reference to a function, even without a call, a composite literal, or a call
// of new. Types in signatures and fields do not count.
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
			return false // a type in a signature or a field
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && packages[x.Name] != "" {
				all = append(all, made{of: packages[x.Name], name: n.Sel.Name, at: n.Pos()})
			}
		}
		return true
	})
	return all
}
