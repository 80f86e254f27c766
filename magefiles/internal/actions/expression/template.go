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

// ParseTemplate parses a value. An error is an *[Error] with the place in the whole text.
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
			return nil, &Error{At: at, What: "there is no expression between ${{ and }}"}
		}
		e, err := Parse(inside[:n], names)
		if err != nil {
			return nil, shiftError(err, at)
		}
		t.parts = append(t.parts, part{expr: e})
		at += n + len("}}")
	}
}

// Eval returns the value: the expression's value if the whole text is one expression, and text otherwise.
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

// shiftError adjusts the place in an expression's error to the text around the expression.
func shiftError(err error, by int) error {
	var wrong *Error
	if !errors.As(err, &wrong) {
		return err
	}
	return &Error{
		At:   wrong.At + by,
		What: wrong.What,
	}
}

// end returns the offset of the first `}}` outside quotes, or -1.
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

// ParseCondition parses the value of an `if:`, with or without `${{` around it. If a condition calls none of success, failure, always and cancelled,
// success() is prepended. If there is text next to the expression, GitHub treats the whole as a string that is not empty and therefore always true.
// Here that is an error.
func ParseCondition(text string, names Names) (*Expr, error) {
	inside, at := text, 0
	if strings.Contains(text, "${{") {
		start := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
		rest, wrapped := strings.CutPrefix(text[start:], "${{")
		n := end(rest)
		if !wrapped || n < 0 || strings.TrimSpace(rest[max(n, 0)+len("}}"):]) != "" {
			return nil, &Error{At: start, What: "a condition with text outside ${{ }} is always true: put the whole condition inside the braces, or remove the braces"}
		}
		inside, at = rest[:n], start+len("${{")
	}
	e, err := Parse(inside, names)
	if err != nil {
		return nil, shiftError(err, at)
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
