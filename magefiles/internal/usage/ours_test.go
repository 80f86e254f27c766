package usage

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table lists the targets that Mage makes from the functions of package targets.
func TestTheTableIsTheTargets(t *testing.T) {
	files, err := filepath.Glob("../../targets/*.go")
	require.NoError(t, err)
	var lines []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if line := lineOf(f); line != "" {
					lines = append(lines, line)
				}
			}
		}
	}
	require.Greater(t, len(lines), 30)
	slices.Sort(lines)
	require.Equal(t, strings.Join(lines, "\n")+"\n", ours, "usage/targets.txt has other targets than magefiles/targets/*.go")
}

// lineOf returns the line of a target; "" if the function is not a target: it is not exported, its receiver has a name, it takes no
// context, or it takes a type that a command line cannot have.
func lineOf(f *ast.FuncDecl) string {
	if !f.Name.IsExported() || f.Recv != nil && len(f.Recv.List[0].Names) > 0 || len(f.Type.Params.List) == 0 {
		return ""
	}
	words := []string{strings.ToLower(f.Name.Name[:1]) + f.Name.Name[1:]}
	if f.Recv != nil {
		words[0] = strings.ToLower(types.ExprString(f.Recv.List[0].Type)) + ":" + words[0]
	}
	for i, p := range f.Type.Params.List {
		kind := types.ExprString(p.Type)
		if i == 0 {
			if kind != "context.Context" {
				return ""
			}
			continue
		}
		of, isFlag := strings.CutPrefix(kind, "*")
		if !slices.Contains([]string{"string", "bool", "int", "float64", "time.Duration"}, of) {
			return ""
		}
		for _, name := range p.Names {
			word := strings.ToUpper(name.Name)
			if isFlag {
				word = "-" + name.Name + "=" + of
			}
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// A valid command line with only our targets starts no child, and skips the check that this process is a magefile. All others do both.
func TestValidLineStartsNoChild(t *testing.T) {
	unset := func(string) (string, bool) { return "", false }
	looked := func(words []string) (did bool) {
		text, err := BeforeMage(words, unset, 80, func() (Program, bool) {
			did = true
			return Program{}, false
		})
		require.NoError(t, err)
		require.Empty(t, text)
		return did
	}
	for _, line := range []string{
		"", "-l", "-h", "-v -t 5m check", "check", "Version:Show -JSON", "release -to=minor -yes lint", "test:package mono-core check",
		"docker:image myapp -push -platform=linux/amd64", "ci:run ci.yml -event=push", "help", "check help", "rehearse -faults=3",
	} {
		require.False(t, looked(strings.Fields(line)), line)
	}
	for _, line := range []string{
		"mine", "check mine", "check -mine", "release -to", "release -to=", "release minor", "rehearse -faults=x", "version", "test:package", "test:package -json",
		"help release", "-h release", "--help release", "help version", "deploy:to staging", "version:bump --to=minor", "-to=minor release", "check version:show extra",
	} {
		require.True(t, looked(strings.Fields(line)), line)
	}
	p := program()
	text, err := BeforeMage([]string{"release", "-to="}, unset, 80, func() (Program, bool) { return p, true })
	require.ErrorContains(t, err, "-to has no value")
	require.Empty(t, text)
	asksMage := func(name string) (string, bool) { return "1", name == "MAGEFILE_LIST" }
	_, err = BeforeMage([]string{"relase"}, asksMage, 80, func() (Program, bool) { return p, true })
	require.NoError(t, err)
}

// A line of the table and the program's help give the same target.
func TestTableAgreesWithTheProgram(t *testing.T) {
	said := readTarget("Bump changes versions.\n\nUsage:\n\n\tx version:bump <a> <b> [-fixDrift=<bool>]\n\n")
	mine := parseLine("version:bump A B -fixDrift=bool")
	said.about = ""
	require.Equal(t, said, mine)
	require.Nil(t, table{}.alias(t.Context(), "check", nil))
	all, err := table{}.list(t.Context())
	require.NoError(t, err)
	for _, l := range all {
		require.Equal(t, l.name, table{}.explain(t.Context(), strings.ToUpper(l.name)).name)
	}
}

// A flag's comment may have brackets.
func TestBracketsInAComment(t *testing.T) {
	text := "Release publishes.\n\nUsage:\n\n\tx release [<flags>]\n\nFlags:\n\n\t-publish=<string>  here or ci, in place of [tool.release] publish\n\t-yes=<bool>        do not ask\n\n"
	flags := readTarget(text).flags
	require.Len(t, flags, 2)
	require.Equal(t, "here or ci, in place of [tool.release] publish", flags[0].comment)
	require.Equal(t, "do not ask", flags[1].comment)
}

// A command line has several targets, or one with its arguments and flags.
func TestALineOfSeveralTargets(t *testing.T) {
	for line, want := range map[string]bool{
		"deploy:to staging -yes":         false,
		"deploy:to staging check":        true,
		"":                               false,
		"lint":                           false,
		"-v -t 5s lint":                  false,
		"Test:Package lib":               false,
		"version:plan -to=minor":         false,
		"docker:image app -push":         false,
		"fmt lint":                       true,
		"mine lint":                      true,
		"test:package lib lint":          true,
		"version:plan -to=minor status":  true,
		"-v docker:image app -push lint": true,
	} {
		require.Equal(t, want, HasSeveral(strings.Fields(line)), line)
	}
}
