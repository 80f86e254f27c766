package file

import (
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
)

// Node is a value of a file, with its place. The zero Node means that the value does not exist.
type Node struct {
	file string
	n    *yaml.Node
}

// Pair is a key of a mapping, and its value.
type Pair struct{ Key, Value Node }

// `with` returns a value of the same file.
func (n Node) with(value *yaml.Node) Node {
	n.n = resolve(value)
	return n
}

// Is reports whether the value exists.
func (n Node) Is() bool { return n.n != nil }

// IsMapping reports whether the value has keys.
func (n Node) IsMapping() bool { return n.n != nil && n.n.Kind == yaml.MappingNode }

// IsBlock reports whether the value is a text that begins in the line after its | or >.
func (n Node) IsBlock() bool {
	return n.n != nil && n.n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// At returns the value below the keys; the zero Node if one of them does not exist.
func (n Node) At(keys ...string) Node {
	for _, k := range keys {
		n.n = at(n.n, k)
	}
	return n
}

// Text returns a scalar as it is written; "" for a value that is not a scalar.
func (n Node) Text() string { return text(n.n) }

// True reports whether a scalar is true in one of the spellings that GitHub knows: true, True and TRUE.
func (n Node) True() bool { return slices.Contains([]string{"true", "True", "TRUE"}, n.Text()) }

// Items returns the items of a list, or a single value that is written instead of a list.
func (n Node) Items() (all []Node) {
	switch {
	case n.n == nil:
	case n.n.Kind == yaml.SequenceNode:
		for _, item := range n.n.Content {
			all = append(all, n.with(item))
		}
	default:
		all = append(all, n)
	}
	return all
}

// Pairs returns the pairs of a mapping, in the order of the file.
func (n Node) Pairs() (all []Pair) {
	if !n.IsMapping() {
		return nil
	}
	for i := 0; i+1 < len(n.n.Content); i += 2 {
		all = append(all, Pair{
			Key:   n.with(n.n.Content[i]),
			Value: n.with(n.n.Content[i+1]),
		})
	}
	return all
}

// Line returns the line where the value begins, from 1; 0 if the value does not exist.
func (n Node) Line() int {
	if n.n == nil {
		return 0
	}
	return n.n.Line
}

// Asks reports whether an expression in the value, or below it, uses one of the contexts.
func (n Node) Asks(contexts ...string) (asks bool) {
	n.eachPath("", func(p expression.Path, _ string, _ Node) { asks = asks || slices.Contains(contexts, p[0]) })
	return asks
}

// Place returns the place of the value, as FILE:LINE.
func (n Node) Place() string { return fmt.Sprintf("%s:%d", n.file, n.Line()) }

// Problem returns an error at the place of the value.
func (n Node) Problem(format string, args ...any) error {
	p := &Problem{
		File: n.file,
		Line: 1,
		What: fmt.Sprintf(format, args...),
	}
	if n.n != nil {
		p.Line, p.Column = n.n.Line, n.n.Column
	}
	return p
}

// Elsewhere returns a [Node.Problem] about a value that is correct on GitHub but is not run here.
func (n Node) Elsewhere(format string, args ...any) error {
	err := n.Problem(format, args...)
	var p *Problem
	if errors.As(err, &p) {
		p.Elsewhere = true
	}
	return err
}

// Value returns the value with its expressions evaluated. An error is a [Problem] at its place.
func (n Node) Value(env expression.Env) (expression.Value, error) {
	if n.n == nil {
		return nil, nil
	}
	switch n.n.Kind {
	case yaml.SequenceNode:
		list := &expression.Array{}
		for _, item := range n.Items() {
			v, err := item.Value(env)
			if err != nil {
				return nil, err
			}
			list.Items = append(list.Items, v)
		}
		return list, nil
	case yaml.MappingNode:
		o := &expression.Object{}
		for _, p := range n.Pairs() {
			v, err := p.Value.Value(env)
			if err != nil {
				return nil, err
			}
			o.Add(p.Key.Text(), v)
		}
		return o, nil
	}
	switch tag(n.n) {
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		err := n.n.Decode(&b)
		return b, err
	case "!!int", "!!float":
		f, is := number(n.n.Value)
		if !is {
			return nil, n.Problem("%q is not a number", n.n.Value)
		}
		return f, nil
	}
	t, err := expression.ParseTemplate(n.n.Value, all)
	if err != nil {
		return nil, n.Problem("%v", err)
	}
	v, err := t.Eval(env)
	if err != nil {
		return nil, n.Problem("%v", err)
	}
	return v, nil
}

// Holds reports whether a condition is met: an `if:` that does not exist means success().
func (n Node) Holds(env expression.Env) (bool, error) {
	e, err := expression.ParseCondition(n.Text(), all)
	if err != nil {
		return false, n.Problem("%v", err)
	}
	v, err := e.Eval(env)
	if err != nil {
		return false, n.Problem("%v", err)
	}
	return expression.Truthy(v), nil
}

// `all` holds the names that any place of a file may use. Reading the file has already checked the names that each place allows.
var all = func() expression.Names {
	names, err := expression.Allow("github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "steps", "job", "jobs", "runner", "env",
		"hashFiles(1,255)", "success(0,MAX)", "failure(0,MAX)", "always(0,0)", "cancelled(0,0)")
	if err != nil {
		panic(err) // the text is part of the program
	}
	return names
}()

// ReadAction reads an action.yml. It also checks the steps of a composite action against the schema.
func ReadAction(name string, data []byte) (Node, error) {
	r := &reader{name: name}
	top := Node{file: name}
	if n := r.parse(data); n != nil {
		r.value(n, "action-root", nil, "the action")
		top = top.with(n)
	}
	if len(r.problems) == 0 {
		for _, n := range top.At("runs", "steps").Items() {
			r.condition(at(n.n, "if"), "action-if")
		}
	}
	return top, r.err()
}
