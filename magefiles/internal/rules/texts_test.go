package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// searched lists the files of sessions and releases that search a text for words, each with the author of that text.
var searched = map[string]string{
	"release/forge/forge.go": "people write the files of a CI for another program",
}

// TestDecisionsDoNotUseText checks that sessions, steps and releases base decisions on values, so that rewording a message does not change behavior.
func TestDecisionsDoNotUseText(t *testing.T) {
	seen := map[string]bool{}
	eachFile(t, func(p goPackage, name string, file *ast.File, set *token.FileSet) {
		here := path.Join(strings.TrimPrefix(p.ImportPath, internal), name)
		if room, _, _ := strings.Cut(here, "/"); room != "release" && room != "session" && room != "workflow" {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Contains" {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "strings" {
					seen[here] = true
					assert.NotEmpty(t, searched[here], "%s: this code searches a text for words: let the code that writes the text return a value instead", set.Position(n.Pos()))
				}
			}
			return true
		})
	})
	require.Len(t, seen, len(searched), "a listed place searches no text any more: remove it from the list")
}

// waysOn lists the commands that continue or undo a release.
var waysOn = []string{"mage release", "mage undo"}

// TestErrorsWithAWayOn checks that errors of a release call WithWayOn if and only if their next step names one of these commands. A session checks
// WithWayOn, and not the text, to decide what to add.
func TestErrorsWithAWayOn(t *testing.T) {
	seen := 0
	eachFile(t, func(p goPackage, _ string, file *ast.File, set *token.FileSet) {
		name := strings.TrimPrefix(p.ImportPath, internal)
		if name != "release" && !strings.HasPrefix(name, "release/") {
			return
		}
		for at, says := range nextSteps(file) {
			seen++
			if says.calls && !says.named {
				continue
			}
			assert.Equal(t, says.named, says.said, "%s: the next step of this error and its WithWayOn contradict each other", set.Position(at))
		}
	})
	require.Greater(t, seen, 40)
}

func TestFindWaysOn(t *testing.T) {
	for text, want := range map[string]nextStep{
		"operr.New(\"`mage undo`\", \"x\")":                                       {named: true},
		"operr.New(\"`mage undo`\", \"x\").WithWayOn()":                           {named: true, said: true},
		"operr.New(\"`mage undo`\", \"x\").WithDetail(d).WithWayOn()":             {named: true, said: true},
		"operr.NewStopped(\"see; `mage release` goes on with \"+it, \"x\")":       {named: true},
		"const on = \"`mage undo`\"; operr.New(\"or \"+on, \"x\")":                {named: true},
		"next := \"`mage undo`\"; operr.New(next, \"x\").WithWayOn()":             {named: true, said: true},
		"operr.New(p.way(), \"x\").WithWayOn()":                                   {calls: true, said: true},
		"operr.New(\"see git\", \"x: mage undo\")":                                {},
		"operr.New(\"see git\", \"x\").WithDetail(d)":                             {},
		"operr.New(\"see git\", \"x\").WithWayOn()":                               {said: true},
		"operr.New(\"`mage release -to=patch`\", \"x: %w\", operr.X).WithWayOn()": {named: true, said: true},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n\nfunc f() { "+text+" }\n", 0)
		require.NoError(t, err, text)
		found := nextSteps(file)
		require.Len(t, found, 1, text)
		for _, is := range found {
			require.Equal(t, want, is, text)
		}
	}
}

// nextStep describes an error's next step.
type nextStep struct {
	named bool // its text contains a command of waysOn
	calls bool // part of its text is the result of a function, and so is not known
	said  bool // the error calls WithWayOn
}

// nextSteps returns the next steps of all errors that a file creates, by the position of the call.
func nextSteps(file *ast.File) map[token.Pos]nextStep {
	texts := map[string]string{} // values of constants and variables, if they are literals
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, v := range n.Values {
				texts[n.Names[i].Name] += textOf(v, texts)
			}
		case *ast.AssignStmt:
			for i, v := range n.Rhs {
				if name, ok := n.Lhs[i].(*ast.Ident); ok {
					texts[name.Name] += textOf(v, texts)
				}
			}
		}
		return true
	})
	found := map[token.Pos]nextStep{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		step, said := nextStep{}, false
		for {
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if inner, ok := sel.X.(*ast.CallExpr); ok && (sel.Sel.Name == "WithWayOn" || sel.Sel.Name == "WithDetail") {
				said = said || sel.Sel.Name == "WithWayOn"
				call = inner
				continue
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok || x.Name != "operr" || sel.Sel.Name != "New" && sel.Sel.Name != "NewStopped" {
				return true
			}
			break
		}
		for _, command := range waysOn {
			step.named = step.named || strings.Contains(textOf(call.Args[0], texts), command)
		}
		ast.Inspect(call.Args[0], func(n ast.Node) bool {
			_, is := n.(*ast.CallExpr)
			step.calls = step.calls || is
			return true
		})
		step.said = said || found[call.Pos()].said
		found[call.Pos()] = step
		return true
	})
	return found
}

// textOf returns the text of the literals in an expression, and of the names in it that are in texts.
func textOf(e ast.Expr, texts map[string]string) (text string) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				text += s
			}
		case *ast.Ident:
			text += texts[n.Name]
		case *ast.CallExpr: // the result of a call is not known, and its arguments are irrelevant
			return false
		}
		return true
	})
	return text
}
