package rules_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// printedCommand matches the beginning of a command that is printed in backquotes, for users to copy.
var printedCommand = regexp.MustCompile(`^(?:git|mage|go|rm|cp|mv|docker|pixi|ssh|chmod|uv|cd|[A-Z_]+=)(?: |$)|^[A-Z_]+=$`)

// noOnesChoice lists expressions whose text needs no quoting. Either an outsider cannot choose the text, or the text was parsed as a version, a name
// of a conda package or an environment, a hash or a number, and so contains only letters, digits, dots and dashes.
var noOnesChoice = []string{
	`short\(.*\)`, `hash`, `p\.parent`, `commit\[:12\]`, `digest`, // hashes and digests of git and of images
	`(?:p|pkg|n\.Package|v|t|[af]\.Environment)\.[Nn]ame`, `d\.Name\(\)`, // names of packages, environments, volumes, applications and targets
	`(?:a\.)?Version`, `p\.word\(\)`, `(?:\w+(?:\.\w+)*(?:\{.*\})?)\.Flags\(\)`, // texts formatted by package version or by a Flags method
	`ourModule`,
	`where`, `only`, // texts built from names and versions, in release/plan/next.go
}

// TestPrintedCommandsAreQuoted checks that commands printed for users quote all texts that an outsider may choose: names of files, branches, tags
// and remotes.
func TestPrintedCommandsAreQuoted(t *testing.T) {
	safe := regexp.MustCompile(`^(?:operr\.(?:Words?|Line)\(.*\)|` + strings.Join(noOnesChoice, "|") + `)$`)
	var found []string
	eachFile(t, func(_ goPackage, _ string, file *ast.File, set *token.FileSet) {
		for _, e := range inCommands(file) {
			if text := types.ExprString(e); !safe.MatchString(text) {
				found = append(found, fmt.Sprintf("%s: %s", set.Position(e.Pos()), text))
			}
		}
	})
	require.Empty(t, strings.Join(found, "\n"), "quote the value with operr.Word; if nobody outside can choose the value, add it to noOnesChoice")
}

func TestInCommands(t *testing.T) {
	for code, want := range map[string][]string{
		"\"`git switch \" + branch + \"`, and \" + more":     {"branch"},
		"\"`git mv \" + dir + e.Name() + \" x`\"":            {"dir", "e.Name()"},
		"\"set `x = \" + value + \"`\"":                      nil,
		"f(\"run `git fetch %s` in %s\", remote, dir)":       {"remote"},
		"f(\"`mage a %[2]s`, %[1]s and 1%% `x`\", one, two)": {"two"},
		"f(next, \"`git tag -d %s`\", \"a\"+b)":              {"\"a\" + b"},
		"\"`A=\" + path + \" pixi auth login \" + host":      {"path", "host"},
		"a + b":                       nil,
		"f(\"%s is `git %s`\", a, b)": {"b"},
	} {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, "", "package p\nvar _ = "+code, parser.SkipObjectResolution)
		require.NoError(t, err, code)
		var got []string
		for _, e := range inCommands(file) {
			got = append(got, types.ExprString(e))
		}
		require.Equal(t, want, got, code)
	}
}

// inCommands returns the expressions whose text becomes part of a command in backquotes: in a concatenation, or as an argument of a format string.
func inCommands(file *ast.File) (found []ast.Expr) {
	inner := map[ast.Expr]bool{} // parts of a concatenation that was already searched
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.ADD && !inner[n] {
				var s scan
				s.sum(n, inner)
				found = append(found, s.found...)
			}
		case *ast.CallExpr:
			for i, arg := range n.Args {
				if text, ok := literal(arg); ok && strings.Contains(text, "%") && i+1 < len(n.Args) {
					found = append(found, formatted(text, n.Args[i+1:])...)
				}
			}
		}
		return true
	})
	return found
}

// scan scans a text in pieces.
type scan struct {
	command bool   // inside a command in backquotes
	open    bool   // inside backquotes
	begins  string // known text after the opening backquote
	found   []ast.Expr
}

func (s *scan) text(text string) {
	for i, part := range strings.Split(text, "`") {
		if i > 0 {
			s.open, s.begins = !s.open, ""
		}
		s.begins += part
		s.command = s.open && printedCommand.MatchString(s.begins)
	}
}

// sum scans a concatenation from left to right.
func (s *scan) sum(e ast.Expr, inner map[ast.Expr]bool) {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.ADD {
		inner[b] = true
		s.sum(b.X, inner)
		s.sum(b.Y, inner)
		return
	}
	if text, ok := literal(e); ok {
		s.text(text)
		return
	}
	if s.command {
		s.found = append(s.found, e)
	}
}

var verbOf = regexp.MustCompile(`%%|%[-+# 0]*(?:\[(\d+)\])?[\d.*]*(?:\[(\d+)\])?([a-zA-Z])`)

// formatted returns the arguments of a format string that become part of a command.
func formatted(format string, args []ast.Expr) (found []ast.Expr) {
	var s scan
	next, last := 0, 0
	for _, m := range verbOf.FindAllStringSubmatchIndex(format, -1) {
		s.text(format[last:m[0]])
		last = m[1]
		if m[6] < 0 {
			continue // a literal percent sign
		}
		for _, at := range []int{2, 4} {
			if m[at] >= 0 {
				next, _ = strconv.Atoi(format[m[at]:m[at+1]])
				next--
			}
		}
		if verb := format[m[6]:m[7]]; s.command && next < len(args) && slices.Contains([]string{"s", "v"}, verb) {
			found = append(found, args[next])
		}
		next++
	}
	return found
}

// literal returns the text of a string literal.
func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}
