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

// printedCommand is how a command begins that people are shown in backquotes, to be copied.
var printedCommand = regexp.MustCompile(`^(?:git|mage|go|rm|cp|mv|docker|pixi|ssh|chmod|uv|cd|[A-Z_]+=)(?: |$)|^[A-Z_]+=$`)

// noOnesChoice are expressions, as they stand in the code, whose text nobody outside decides about, or that is made of letters, digits, dots and dashes because
// it was read as a version, a name of conda or of an environment, a hash, or a number.
var noOnesChoice = []string{
	`short\(.*\)`, `hash`, `p\.parent`, `commit\[:12\]`, `digest`, // of git and of images
	`(?:p|pkg|n\.Package|v|t|[af]\.Environment)\.[Nn]ame`, `d\.Name\(\)`, // of packages, environments, volumes, applications and targets
	`(?:a\.)?Version`, `p\.word\(\)`, // as package version writes them
	`ourModule`,
	`where`, `only`, // made of names and versions, in release/plan/next.go
}

// TestPrintedCommandsAreQuoted holds that what stands in a command that a person is shown, and may run, is quoted for a shell where somebody else chose it: the
// name of a file, a branch, a tag, a remote.
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
	require.Empty(t, strings.Join(found, "\n"), "operr.Word makes one word of a text; what nobody chooses goes into noOnesChoice")
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

// inCommands are the expressions whose text stands in a command in backquotes: in a sum of texts, or for a verb of a format.
func inCommands(file *ast.File) (found []ast.Expr) {
	inner := map[ast.Expr]bool{} // a part of a sum that was looked at
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

// scan goes through a text piece by piece.
type scan struct {
	command bool   // it is inside of a command in backquotes
	open    bool   // it is inside of backquotes
	begins  string // what stands behind the opening one, as far as it is known
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

// sum goes through a sum from left to right.
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

// formatted are the arguments of a format that stand in a command.
func formatted(format string, args []ast.Expr) (found []ast.Expr) {
	var s scan
	next, last := 0, 0
	for _, m := range verbOf.FindAllStringSubmatchIndex(format, -1) {
		s.text(format[last:m[0]])
		last = m[1]
		if m[6] < 0 {
			continue // a percent sign
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

// literal is the text of a literal.
func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}
