package expression

import (
	"errors"
	"strings"
)

// Template is a value of a workflow file: text, with expressions in `${{` and `}}`.
type Template struct {
	parts []part
}

type part struct {
	text string
	expr *Expr // nil for text
}

// ParseTemplate reads a value. An error is an *[Error] with the place in the whole text.
func ParseTemplate(text string, names Names) (*Template, error) {
	t := &Template{}
	for at := 0; ; {
		before, inside, found := strings.Cut(text[at:], "${{")
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		if !found {
			return t, nil
		}
		at += len(before) + len("${{")
		n := end(inside)
		if n < 0 {
			return nil, &Error{At: at - len("${{"), What: "the expression that begins here has no }}"}
		}
		if strings.TrimSpace(inside[:n]) == "" {
			return nil, &Error{At: at, What: "an expression is wanted between ${{ and }}"}
		}
		e, err := Parse(inside[:n], names)
		if err != nil {
			return nil, moved(err, at)
		}
		t.parts = append(t.parts, part{expr: e})
		at += n + len("}}")
	}
}

// Eval gives the value: what the expression gives where the whole text is one, and text otherwise.
func (t *Template) Eval(env Env) (Value, error) {
	if len(t.parts) == 1 && t.parts[0].expr != nil {
		return t.parts[0].expr.Eval(env)
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := p.expr.Eval(env)
		if err != nil {
			return nil, err
		}
		b.WriteString(Text(v))
	}
	return b.String(), nil
}

// moved is an error of an expression that begins at a place of a longer text.
func moved(err error, by int) error {
	var wrong *Error
	if !errors.As(err, &wrong) {
		return err
	}
	return &Error{
		At:   wrong.At + by,
		What: wrong.What,
	}
}

// end is where the first `}}` outside of quotes begins; -1 where there is none.
func end(text string) int {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '\'':
			quoted = !quoted
		case !quoted && strings.HasPrefix(text[i:], "}}"):
			return i
		}
	}
	return -1
}

// ParseCondition reads the value of an `if:`, with or without `${{` around it. One that calls none of the functions that ask how it went has
// success() before it. Where there is text beside the expression, GitHub takes the whole for a text that is not empty, which is always true: that is
// an error here.
func ParseCondition(text string, names Names) (*Expr, error) {
	inside, at := text, 0
	if strings.Contains(text, "${{") {
		start := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
		rest, wrapped := strings.CutPrefix(text[start:], "${{")
		n := end(rest)
		if !wrapped || n < 0 || strings.TrimSpace(rest[max(n, 0)+len("}}"):]) != "" {
			return nil, &Error{At: start, What: "a condition with text beside ${{ }} is always true: put the whole of it inside, or leave the braces out"}
		}
		inside, at = rest[:n], start+len("${{")
	}
	e, err := Parse(inside, names)
	if err != nil {
		return nil, moved(err, at)
	}
	if e.Uses("success", "failure", "always", "cancelled") {
		return e, nil
	}
	operands := []node{&call{name: "success"}}
	if e.root != nil {
		operands = append(operands, e.root)
	}
	return &Expr{
		root: &logical{
			operator: "&&",
			operands: operands,
		},
		names: e.names,
	}, nil
}
