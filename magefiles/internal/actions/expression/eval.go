package expression

import (
	"errors"
	"math"
)

// Env holds the contexts and functions with which an expression is evaluated.
type Env struct {
	Contexts *Object // by name; a missing context is null
	// Functions holds the functions that depend on the place of the expression, by lower-case name: hashfiles, success, failure, always, cancelled.
	Functions map[string]func(arguments []Value) (Value, error)
}

// maxMemory limits the bytes of text that an evaluation holds at one time, counted as GitHub does: two per UTF-16 code unit.
const maxMemory = 1 << 20

var errTooMuch = errors.New("the result of the expression is longer than the 1 MB that GitHub allows")

// Eval returns the expression's value. An expression without any token is null.
func (e *Expr) Eval(env Env) (Value, error) {
	if e.root == nil {
		return nil, nil
	}
	return e.root.eval(&evaluation{Env: env})
}

type evaluation struct {
	Env

	held int // bytes of the texts that unfinished calls hold
}

// size returns a text's size in bytes, or 0 for other values.
func size(v Value) int {
	s, _ := v.(string)
	return 2 * units(s)
}

type node interface {
	eval(ev *evaluation) (Value, error)
}

type literal struct{ value Value }

func (l *literal) eval(*evaluation) (Value, error) { return l.value, nil }

type context struct{ name string }

func (c *context) eval(ev *evaluation) (Value, error) {
	if ev.Contexts == nil {
		return nil, nil
	}
	v, _ := ev.Contexts.Get(c.name)
	return v, nil
}

type negation struct{ of node }

func (n *negation) eval(ev *evaluation) (Value, error) {
	v, err := n.of.eval(ev)
	return !Truthy(v), err
}

type logical struct {
	operator string
	operands []node
}

// eval returns the first operand that decides, or the last operand.
func (l *logical) eval(ev *evaluation) (v Value, err error) {
	for _, o := range l.operands {
		if v, err = o.eval(ev); err != nil || Truthy(v) == (l.operator == "||") {
			break
		}
	}
	return v, err
}

type comparing struct {
	operator    string
	left, right node
}

func (c *comparing) eval(ev *evaluation) (Value, error) {
	a, err := c.left.eval(ev)
	if err != nil {
		return nil, err
	}
	b, err := c.right.eval(ev)
	if err != nil {
		return nil, err
	}
	switch c.operator {
	case "==":
		return equal(a, b), nil
	case "!=":
		return !equal(a, b), nil
	}
	sign, ok := order(a, b)
	switch c.operator {
	case "<":
		return ok && sign < 0, nil
	case ">":
		return ok && sign > 0, nil
	case "<=":
		return ok && sign < 0 || equal(a, b), nil
	}
	return ok && sign > 0 || equal(a, b), nil
}

// index takes the value at a key or a position, or all values.
type index struct {
	of, at node
	all    bool
}

func (i *index) eval(ev *evaluation) (Value, error) {
	of, err := i.of.eval(ev)
	if err != nil {
		return nil, err
	}
	var at Value
	if !i.all {
		if at, err = i.at.eval(ev); err != nil {
			return nil, err
		}
	}
	items := []Value{of}
	array, _ := of.(*Array)
	filtered := array != nil && array.filtered
	if filtered {
		items = array.Items
	}
	var found []Value
	for _, item := range items {
		if i.all {
			found = append(found, everything(item)...)
		} else if v, there := lookUp(item, at); there {
			found = append(found, v)
		}
	}
	switch {
	case i.all, filtered:
		return &Array{
			Items:    found,
			filtered: true,
		}, nil
	case len(found) == 0:
		return nil, nil
	}
	return found[0], nil
}

func everything(of Value) []Value {
	switch of := of.(type) {
	case *Array:
		return of.Items
	case *Object:
		values := make([]Value, 0, len(of.keys))
		for _, k := range of.keys {
			v, _ := of.Get(k)
			values = append(values, v)
		}
		return values
	}
	return nil
}

func lookUp(of, at Value) (Value, bool) {
	switch of := of.(type) {
	case *Array:
		if n := math.Floor(number(at)); n >= 0 && n < float64(len(of.Items)) {
			return of.Items[int(n)], true
		}
	case *Object:
		if primitive(at) {
			return of.Get(Text(at))
		}
	}
	return nil, false
}

type call struct {
	name      string
	arguments []node
}

func (c *call) eval(ev *evaluation) (Value, error) {
	if c.name == "case" {
		return c.choose(ev)
	}
	held := ev.held
	defer func() { ev.held = held }()
	arguments := make([]Value, len(c.arguments))
	for i, a := range c.arguments {
		var err error
		if arguments[i], err = a.eval(ev); err != nil {
			return nil, err
		}
		if ev.held += size(arguments[i]); ev.held > maxMemory {
			return nil, errTooMuch
		}
	}
	if f, is := functions[c.name]; is {
		v, err := f(arguments)
		if err == nil && ev.held+size(v) > maxMemory {
			err = errTooMuch
		}
		return v, err
	}
	f, is := ev.Functions[c.name]
	if !is {
		return nil, errors.New("the result of " + c.name + "() is not known here")
	}
	return f(arguments)
}

// choose returns the value after the first true condition, and evaluates no other value.
func (c *call) choose(ev *evaluation) (Value, error) {
	last := len(c.arguments) - 1
	for i := 0; i < last; i += 2 {
		v, err := c.arguments[i].eval(ev)
		if err != nil {
			return nil, err
		}
		yes, is := v.(bool)
		if !is {
			return nil, errors.New("a condition of case() must be true or false")
		}
		if yes {
			return c.arguments[i+1].eval(ev)
		}
	}
	return c.arguments[last].eval(ev)
}
