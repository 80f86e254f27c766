package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var typeOf = regexp.MustCompile("^`([\\w/]+)\\.(\\w+)(?:\\.(\\w+))?`$")

// typesOf returns the types that are declared in a file, with their fields.
func typesOf(file *ast.File) map[string][]string {
	types := map[string][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		types[spec.Name.Name] = []string{}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				for _, name := range f.Names {
					types[spec.Name.Name] = append(types[spec.Name.Name], name.Name)
				}
			}
		}
		return false
	})
	return types
}

// meant returns the packages that declare the type of a glossary word, by their paths in ARCHITECTURE. There should be exactly one. `packages` maps
// each package to its types.
func meant(packages map[string]map[string][]string, word []string) (found []string) {
	for p, types := range packages {
		if p != word[1] && (strings.Contains(word[1], "/") || path.Base(p) != word[1]) {
			continue
		}
		if fields, ok := types[word[2]]; ok && (word[3] == "" || slices.Contains(fields, word[3])) {
			found = append(found, p)
		}
	}
	slices.Sort(found)
	return found
}

// Each word in the glossary stands for one type, and no two words stand for the same type.
func TestWords(t *testing.T) {
	packages := map[string]map[string][]string{}
	for _, p := range load(t) {
		types := map[string][]string{}
		for _, source := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, source), nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for name, fields := range typesOf(file) {
				types[name] = fields
			}
		}
		packages[below(strings.TrimPrefix(p.ImportPath, module))] = types
	}
	_, section, found := strings.Cut(read(t, filepath.Join("..", "..", "..", "ARCHITECTURE.md")), "\n## The words\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	words, types := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		if !strings.HasPrefix(line, "| ") || cells[0] == "word" {
			continue
		}
		require.Len(t, cells, 3, line)
		m := typeOf.FindStringSubmatch(cells[2])
		require.NotNil(t, m, "%s: write the type as `package.Type` or `package.Type.Field`", cells[0])
		require.False(t, words[cells[0]], "%s is explained twice", cells[0])
		require.False(t, types[cells[2]], "the type %s has two words in the glossary", cells[2])
		require.Len(t, meant(packages, m), 1, "%s is %s, which does not name exactly one type: write the package's path", cells[0], cells[2])
		words[cells[0]], types[cells[2]] = true, true
	}
	require.Greater(t, len(words), 25)
}

func TestGlossary(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n\ntype Plan struct {\n\tA, B int\n\tC string\n}\n\ntype Step interface{ Do() }\n", 0)
	require.NoError(t, err)
	types := typesOf(file)
	require.Equal(t, map[string][]string{"Plan": {"A", "B", "C"}, "Step": {}}, types)
	packages := map[string]map[string][]string{"a": types, "c/server": types, "d/server": types}
	for word, want := range map[string][]string{
		"`a.Plan`":          {"a"},
		"`a.Plan.C`":        {"a"},
		"`a.Step`":          {"a"},
		"`a.Plan.D`":        nil,
		"`a.Other`":         nil,
		"`b.Plan`":          nil,
		"`server.Plan`":     {"c/server", "d/server"},
		"`d/server.Plan`":   {"d/server"},
		"`x/server.Plan.A`": nil,
	} {
		m := typeOf.FindStringSubmatch(word)
		require.NotNil(t, m, word)
		require.Equal(t, want, meant(packages, m), word)
	}
	require.Nil(t, typeOf.FindStringSubmatch("`Plan`"))
}
