package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// piece is a part of a concatenation: a literal text, and the expression after it.
type piece struct {
	words string
	then  ast.Expr // nil for the last piece
}

// isText reports whether an expression is a string literal, or a concatenation that contains one.
func isText(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BasicLit:
		return n.Kind == token.STRING
	case *ast.BinaryExpr:
		return n.Op == token.ADD && (isText(n.X) || isText(n.Y))
	}
	return false
}

// piecesOf splits a concatenation into pieces. Adjacent literals are joined.
func piecesOf(n ast.Node) (pieces []piece) {
	pieces = []piece{{}}
	var add func(e ast.Expr)
	add = func(e ast.Expr) {
		if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.ADD {
			add(b.X)
			add(b.Y)
			return
		}
		last := &pieces[len(pieces)-1]
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			words, _ := strconv.Unquote(lit.Value) // cannot fail, because the parser accepted the literal
			last.words += words
			return
		}
		last.then = e
		pieces = append(pieces, piece{})
	}
	if e, ok := n.(ast.Expr); ok {
		add(e)
	}
	return pieces
}

// texts reports whether at least one of two nodes is a text. If so, it compares them.
func (c *comparison) texts(a, b ast.Node, text bool) bool {
	if !isText(a) && !isText(b) {
		return false
	}
	before, after := piecesOf(a), piecesOf(b)
	if len(before) != len(after) {
		c.fail(b.Pos(), "%s has other parts than %s", describe(b), describe(a))
		return true
	}
	var was, is []string
	for i := range before {
		was, is = append(was, before[i].words), append(is, after[i].words)
		if before[i].then != nil {
			c.nodes(before[i].then, after[i].then, text)
		}
	}
	if !slices.Equal(was, is) {
		c.words(a, b.Pos(), strings.Join(was, "…"), strings.Join(is, "…"), text)
	}
	return true
}

// words decides whether a change to a text is allowed.
func (c *comparison) words(of ast.Node, pos token.Pos, was, is string, text bool) {
	before, after := verbs(was), verbs(is)
	sameVerbs := slices.Equal(before, after)
	slices.Sort(before)
	slices.Sort(after)
	how := fmt.Sprintf("%s: %q became %q", c.here[1].path, was, is)
	switch {
	case text && sameVerbs:
		c.reworded++
	case c.here[1].test && !text:
		c.expected = append(c.expected, fmt.Sprintf("%s: %q became %q", c.at(pos), was, is))
	case text && slices.Equal(before, after):
		c.ask(pos, "verbs in another order in %s", how)
	case text:
		c.fail(pos, "other verbs in %s", how)
	case sameVerbs && !c.exact && strings.Contains(was, " ") && strings.Contains(is, " "):
		c.ask(pos, "a text that is not an argument in %s", how)
		c.found[len(c.found)-1].text = of
	default:
		c.fail(pos, "another literal in %s", how)
	}
}

var verb = regexp.MustCompile(`%%|%([-+# 0]*)(?:\[(\d+)\])?([\d.*]*)(?:\[(\d+)\])?([a-zA-Z])`)

// verbs returns the verbs of a format string, each with the number of its argument.
func verbs(format string) (found []string) {
	next := 1
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		if m[0] == "%%" {
			continue
		}
		for _, index := range []string{m[2], m[4]} {
			if n, err := strconv.Atoi(index); err == nil {
				next = n
			}
		}
		next += strings.Count(m[3], "*")
		found = append(found, fmt.Sprintf("%d: %%%s%s%s", next, m[1], m[3], m[5]))
		next++
	}
	return found
}

// holdsText reports whether the strings inside a node may be reworded if the node is an argument that may be reworded.
func holdsText(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ParenExpr, *ast.CompositeLit, *ast.KeyValueExpr:
		return true
	case *ast.UnaryExpr:
		return n.Op == token.AND
	}
	return false
}

// isError reports whether a node is a composite literal of operr.Error. The fields of operr.Error may be reworded.
func (c *comparison) isError(n ast.Node) bool {
	lit, ok := n.(*ast.CompositeLit)
	if !ok || !c.here[0].typed {
		return false
	}
	named, ok := types.Unalias(c.old.info.TypeOf(lit)).(*types.Named)
	return ok && named.Obj().Pkg() != nil && strings.HasSuffix(named.Obj().Pkg().Path(), operr) && named.Obj().Name() == "Error"
}

const (
	operr = "/internal/operr"
	view  = "/internal/view"
)

// Functions of operr and view whose arguments are data and must not be reworded.
var (
	dataOfErrors = []string{"Word", "Words", "Line", "Quoted", "Some"}
	dataOfView   = []string{"JSON", "Graph", "WriteReport"}
)

// said lists functions and methods of package testing whose arguments are messages.
var said = []string{"Error", "Errorf", "Fatal", "Fatalf", "Log", "Logf", "Skip", "Skipf"}

// textArguments returns a function that reports which arguments of a call may be reworded. `text` is true if the call's result may be reworded.
// `exact` is true if the arguments are regular expressions, which must not change.
func (c *comparison) textArguments(call *ast.CallExpr, text bool) (isText func(i int) bool, exact bool) {
	none, all := func(int) bool { return false }, func(int) bool { return true }
	var id *ast.Ident
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return none, false
	}
	f, ok := c.old.info.Uses[id].(*types.Func)
	if !ok || f.Pkg() == nil {
		return none, false
	}
	signature := f.Signature()
	switch path := f.Pkg().Path(); {
	case strings.HasSuffix(path, operr) && !slices.Contains(dataOfErrors, f.Name()), strings.HasSuffix(path, view) && !slices.Contains(dataOfView, f.Name()),
		path == "fmt" && f.Name() == "Errorf", path == "errors" && f.Name() == "New", path == "testing" && slices.Contains(said, f.Name()), c.isOfView(f):
		return all, false
	case path == "testing" && f.Name() == "Run":
		return func(i int) bool { return i == 0 }, false
	case path == "fmt" && strings.HasPrefix(f.Name(), "Sprint") && text:
		return all, false
	case strings.HasPrefix(path, "github.com/stretchr/testify/"):
		last := signature.Params().Len() - 1
		return func(i int) bool {
			return signature.Variadic() && i >= last && strings.HasPrefix(signature.Params().At(last).Name(), "msg")
		}, false
	case path == "regexp" || strings.HasSuffix(path, "/lazyregexp"):
		return none, true
	}
	return none, false
}

// isOfView reports whether a function is an interface method that view.View implements.
func (c *comparison) isOfView(f *types.Func) bool {
	recv := f.Signature().Recv()
	if recv == nil || !types.IsInterface(recv.Type()) || !c.isOurs(f) {
		return false
	}
	for path, p := range c.old.packages {
		if v := p.Scope().Lookup("View"); v != nil && strings.HasSuffix(path, view) {
			o, _, _ := types.LookupFieldOrMethod(types.NewPointer(v.Type()), true, p, f.Name())
			m, ok := o.(*types.Func)
			return ok && types.Identical(types.NewSignatureType(nil, nil, nil, m.Signature().Params(), m.Signature().Results(), m.Signature().Variadic()),
				types.NewSignatureType(nil, nil, nil, f.Signature().Params(), f.Signature().Results(), f.Signature().Variadic()))
		}
	}
	return false
}
