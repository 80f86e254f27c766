package expression

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// These are the limits of GitHub's parser.
const (
	maxLength    = 21_000 // in units of UTF-16
	maxDepth     = 50
	maxArguments = 255
)

// Error describes a parse error and its place.
type Error struct {
	At   int // byte offset in the text that was parsed
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (character %d)", e.What, e.At+1) }

func tokenError(t token) error {
	if t.kind == tokenEnd {
		return &Error{At: t.at, What: "unexpected end of the expression"}
	}
	return &Error{At: t.at, What: fmt.Sprintf("unexpected %q", t.text)}
}

func depthError(at int) error {
	return &Error{At: at, What: fmt.Sprintf("the expression is nested deeper than %d levels", maxDepth)}
}

// Arity holds the minimum and maximum number of a function's arguments.
type Arity struct{ Least, Most int }

// Names holds the names that an expression may use at its place, besides the functions that are allowed everywhere.
type Names struct {
	Contexts  map[string]bool  // in lower case
	Functions map[string]Arity // in lower case
}

// Allow parses a list of names in the format of GitHub's workflow schema: a context, or a function with its arity, as in "hashFiles(1,255)".
func Allow(names ...string) (Names, error) {
	all := Names{Contexts: map[string]bool{}, Functions: map[string]Arity{}}
	for _, name := range names {
		word, arity, function := strings.Cut(strings.ToLower(name), "(")
		if !function {
			all.Contexts[word] = true
			continue
		}
		least, most, _ := strings.Cut(strings.TrimSuffix(arity, ")"), ",")
		a := Arity{Most: maxArguments}
		var err error
		if a.Least, err = strconv.Atoi(least); err != nil {
			return Names{}, fmt.Errorf("parsing the arity of %s: %w", name, err)
		}
		if most != "max" {
			if a.Most, err = strconv.Atoi(most); err != nil {
				return Names{}, fmt.Errorf("parsing the arity of %s: %w", name, err)
			}
		}
		all.Functions[word] = a
	}
	return all, nil
}

// Expr is a parsed expression.
type Expr struct {
	root  node            // nil for an expression without any token
	names map[string]bool // functions and contexts in the expression, in lower case
}

// Uses reports whether one of the functions or contexts, in lower case, is anywhere in the expression.
func (e *Expr) Uses(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return e.names[name] })
}

// Parse parses one expression, without `${{` and `}}`. Every name in it must be in names or built in, so that evaluation finds no unknown name. An
// error is an *[Error].
func Parse(text string, names Names) (*Expr, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{
		tokens: tokens,
		names:  names,
		used:   map[string]bool{},
	}
	if p.is(tokenEnd) {
		return &Expr{names: p.used}, nil
	}
	root, err := p.expression()
	if err == nil && !p.is(tokenEnd) {
		err = tokenError(p.tokens[0])
	}
	if err != nil {
		return nil, err
	}
	return &Expr{
		root:  root,
		names: p.used,
	}, nil
}

type parser struct {
	tokens []token
	names  Names
	depth  int
	used   map[string]bool
}

func (p *parser) is(kinds ...string) bool {
	for _, k := range kinds {
		if p.tokens[0].kind == k {
			return true
		}
	}
	return false
}

func (p *parser) take() token {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

// deeper parses one level deeper.
func (p *parser) deeper(parse func() (node, error)) (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, depthError(p.tokens[0].at)
	}
	defer func() { p.depth-- }()
	return parse()
}

func (p *parser) expression() (node, error) { return p.deeper(p.parseOr) }

// parseOr parses a chain of `||`; && has higher precedence.
func (p *parser) parseOr() (node, error) { return p.chain("||", p.parseAnd) }

func (p *parser) parseAnd() (node, error) { return p.chain("&&", p.equality) }

func (p *parser) chain(operator string, operand func() (node, error)) (node, error) {
	first, err := operand()
	if err != nil || !p.is(operator) {
		return first, err
	}
	return p.deeper(func() (node, error) {
		l := &logical{
			operator: operator,
			operands: []node{first},
		}
		for p.is(operator) {
			p.take()
			n, err := operand()
			if err != nil {
				return nil, err
			}
			l.operands = append(l.operands, n)
		}
		return l, nil
	})
}

func (p *parser) equality() (node, error) {
	return p.binary(p.comparison, "==", "!=")
}

func (p *parser) comparison() (node, error) {
	return p.binary(p.parseNot, "<", "<=", ">", ">=")
}

func (p *parser) binary(operand func() (node, error), operators ...string) (node, error) {
	left, err := operand()
	for n := 1; err == nil && p.is(operators...); n++ {
		if p.depth+n > maxDepth {
			return nil, depthError(p.tokens[0].at)
		}
		operator := p.take().kind
		var right node
		right, err = operand()
		left = &comparing{
			operator: operator,
			left:     left,
			right:    right,
		}
	}
	return left, err
}

func (p *parser) parseNot() (node, error) {
	if !p.is("!") {
		return p.access()
	}
	p.take()
	of, err := p.deeper(p.parseNot)
	return &negation{of: of}, err
}

// access parses a value followed by property accesses.
func (p *parser) access() (node, error) {
	value, indexable, err := p.value()
	depth := p.depth
	defer func() { p.depth = depth }()
	for err == nil && indexable && p.is("[", ".") {
		i := &index{of: value}
		at := p.tokens[0].at
		if p.take().kind == "." {
			err = p.property(i)
		} else {
			err = p.bracket(i)
		}
		if p.depth++; err == nil && p.depth > maxDepth {
			err = depthError(at)
		}
		value = i
	}
	return value, err
}

func (p *parser) property(i *index) error {
	switch t := p.take(); t.kind {
	case "*":
		i.all = true
	case tokenName:
		i.at = &literal{value: t.text}
	default:
		return tokenError(t)
	}
	return nil
}

func (p *parser) bracket(i *index) (err error) {
	if p.is("*") {
		p.take()
		i.all = true
	} else if i.at, err = p.expression(); err != nil {
		return err
	}
	if !p.is("]") {
		return tokenError(p.tokens[0])
	}
	p.take()
	return nil
}

// value parses a literal, a context, a call or a group; indexable reports whether dots and brackets may follow.
func (p *parser) value() (n node, indexable bool, err error) {
	switch t := p.take(); t.kind {
	case tokenLiteral:
		return &literal{value: t.value}, false, nil
	case "(":
		n, err = p.expression()
		if err == nil && !p.is(")") {
			err = tokenError(p.tokens[0])
		}
		p.take()
		return n, true, err
	case tokenName:
		if p.is("(") {
			n, err = p.call(t)
			return n, true, err
		}
		if name := strings.ToLower(t.text); p.names.Contexts[name] {
			p.used[name] = true
			return &context{name: name}, true, nil
		}
		return nil, false, &Error{At: t.at, What: fmt.Sprintf("the context %q does not exist or is not available here", t.text)}
	default:
		return nil, false, tokenError(t)
	}
}

func (p *parser) call(name token) (node, error) {
	p.take()
	c := &call{name: strings.ToLower(name.text)}
	for first := true; !p.is(")"); first = false {
		if !first {
			if !p.is(",") {
				return nil, tokenError(p.tokens[0])
			}
			p.take()
		}
		a, err := p.expression()
		if err != nil {
			return nil, err
		}
		c.arguments = append(c.arguments, a)
	}
	p.take()
	arity, there := builtin[c.name]
	if !there {
		arity, there = p.names.Functions[c.name]
	}
	n := len(c.arguments)
	switch {
	case !there:
		return nil, &Error{At: name.at, What: fmt.Sprintf("the function %q does not exist or is not available here", name.text)}
	case n < arity.Least:
		return nil, &Error{At: name.at, What: fmt.Sprintf("%s takes at least %d arguments", name.text, arity.Least)}
	case n > arity.Most:
		return nil, &Error{At: name.at, What: fmt.Sprintf("%s takes at most %d arguments", name.text, arity.Most)}
	case c.name == "case" && n%2 == 0:
		return nil, &Error{At: name.at, What: name.text + " takes pairs of a condition and a value, and then a default value"}
	}
	p.used[c.name] = true
	return c, nil
}
