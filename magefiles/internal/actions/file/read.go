package file

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Problem describes an error in a file, and its place. Lines and columns start at 1; the column is 0 if it is unknown.
type Problem struct {
	File         string
	Line, Column int
	What         string
	Elsewhere    bool // not an error: it works on GitHub, but cannot be run here
}

func (p *Problem) Error() string {
	if p.Column == 0 {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.What)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.What)
}

// IsWrong reports whether an error includes a problem of the file itself, not only features that cannot be run here.
func IsWrong(err error) bool {
	if several, is := err.(interface{ Unwrap() []error }); is {
		return slices.ContainsFunc(several.Unwrap(), IsWrong)
	}
	if wrapped := errors.Unwrap(err); wrapped != nil {
		return IsWrong(wrapped)
	}
	var p *Problem
	return errors.As(err, &p) && !p.Elsewhere
}

// These limits bound the work, because aliases can expand a few bytes to many values.
const (
	maxNodes = 50_000
	maxDepth = 100
)

// Read parses a workflow file. An error is one [Problem], or several that are joined.
func Read(name string, data []byte) (*Workflow, error) {
	r := &reader{name: name}
	top := r.parse(data)
	if top != nil {
		r.value(top, root, nil, "the workflow")
	}
	if len(r.problems) > 0 {
		return nil, r.err()
	}
	w := r.workflow(top)
	return w, r.err()
}

// parse reads the file's YAML; nil if the file has none, or is not YAML.
func (r *reader) parse(data []byte) *yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		line, what := 1, strings.TrimPrefix(err.Error(), "yaml: ")
		if _, scanErr := fmt.Sscanf(what, "line %d:", &line); scanErr == nil {
			_, what, _ = strings.Cut(what, ": ")
		}
		r.problem(&yaml.Node{Line: line}, "%s", what)
		return nil
	}
	if len(doc.Content) == 0 {
		r.problem(&yaml.Node{Line: 1}, "the file is empty")
		return nil
	}
	return doc.Content[0]
}

type reader struct {
	name     string
	problems []*Problem
	nodes    int
	depth    int
}

func (r *reader) problem(n *yaml.Node, format string, args ...any) {
	r.problems = append(r.problems, &Problem{
		File:   r.name,
		Line:   n.Line,
		Column: n.Column,
		What:   fmt.Sprintf(format, args...),
	})
}

// err returns all problems in file order, or nil.
func (r *reader) err() error {
	slices.SortStableFunc(r.problems, func(a, b *Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.What, b.What))
	})
	all := make([]error, len(r.problems))
	for i, p := range r.problems {
		all[i] = p
	}
	return errors.Join(all...)
}

// value checks a value against a definition. `what` describes the value in messages.
func (r *reader) value(n *yaml.Node, definition string, context []string, what string) {
	if r.nodes++; r.nodes > maxNodes || r.depth > maxDepth {
		if r.nodes <= maxNodes+1 {
			r.problem(n, "the file is too large to check: at most %d values and %d levels are allowed", maxNodes, maxDepth)
			r.nodes = maxNodes + 1
		}
		return
	}
	r.depth++
	defer func() { r.depth-- }()
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	ways := leaves(definition, context)
	switch n.Kind {
	case yaml.MappingNode:
		r.mapping(n, ways, what)
	case yaml.SequenceNode:
		for _, w := range ways {
			if w.Sequence != nil {
				for _, item := range n.Content {
					r.value(item, w.Sequence.Item, w.context, "an item of "+what)
				}
				return
			}
		}
		r.problem(n, "%s may not be a list", what)
	default:
		r.scalar(n, ways, what)
	}
}

// mapping checks keys and values against the alternatives that allow all the keys.
func (r *reader) mapping(n *yaml.Node, ways []leaf, what string) {
	ways = slices.DeleteFunc(slices.Clone(ways), func(l leaf) bool { return l.Mapping == nil })
	if len(ways) == 0 {
		r.problem(n, "%s may not have keys", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		name := key.Value
		switch {
		case key.Kind != yaml.ScalarNode:
			r.problem(key, "a key of %s must be a text", what)
			return
		case name == "<<" && key.Tag == "!!merge":
			r.problem(key, "GitHub supports anchors and aliases, but not merge keys")
			return
		case seen[strings.ToLower(name)]:
			r.problem(key, "the key %q is here twice", name)
			return
		}
		seen[strings.ToLower(name)] = true
		left := slices.DeleteFunc(slices.Clone(ways), func(l leaf) bool { return l.Mapping.Value == "" && l.Mapping.Properties[name].Type == "" })
		if len(left) == 0 {
			r.unknown(key, ways, what)
			return
		}
		ways = left
	}
	way := ways[0]
	for name, p := range way.Mapping.Properties {
		if p.Required && !seen[name] {
			r.problem(n, "%s needs %s", what, name)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		kind := way.Mapping.Properties[key.Value].Type
		if kind == "" {
			r.value(key, way.Mapping.Key, way.context, "a key of "+what)
			kind = way.Mapping.Value
		}
		r.value(value, kind, way.context, key.Value)
	}
}

func (r *reader) unknown(key *yaml.Node, ways []leaf, what string) {
	known := keys(ways)
	if near := manifest.Nearest(key.Value, known); near != "" {
		r.problem(key, "there is no key %q in %s: is it %q?", key.Value, what, near)
		return
	}
	r.problem(key, "there is no key %q in %s: use one of %s", key.Value, what, strings.Join(known, ", "))
}

func (r *reader) scalar(n *yaml.Node, ways []leaf, what string) {
	context := ways[0].context
	if strings.Contains(n.Value, "${{") && tag(n) == "!!str" {
		if len(context) == 0 {
			r.problem(n, "%s may not have an expression", what)
			return
		}
		_, err := expression.ParseTemplate(n.Value, r.names(context))
		r.expression(n, err)
		return
	}
	var known []string
	for _, w := range ways {
		switch {
		case w.Null != nil && tag(n) == "!!null",
			w.Boolean != nil && tag(n) == "!!bool",
			w.Number != nil && (tag(n) == "!!int" || tag(n) == "!!float"),
			slices.Contains(w.Allowed, n.Value):
			return
		case w.String != nil && w.String.Constant == "" && (n.Value != "" || !w.String.NonEmpty),
			w.String != nil && w.String.Constant != "" && w.String.Constant == n.Value:
			return
		case w.String != nil && w.String.Constant != "":
			known = append(known, w.String.Constant)
		}
		known = append(known, w.Allowed...)
	}
	switch near := manifest.Nearest(n.Value, known); {
	case n.Value == "":
		r.problem(n, "%s is empty", what)
	case near != "":
		r.problem(n, "%q is not allowed for %s: is it %q?", n.Value, what, near)
	case len(known) > 0:
		r.problem(n, "%q is not allowed for %s: use one of %s", n.Value, what, strings.Join(known, ", "))
	default:
		r.problem(n, "%q is not allowed for %s", n.Value, what)
	}
}

// `names` returns the names that an expression may use.
func (r *reader) names(context []string) expression.Names {
	names, err := expression.Allow(context...)
	if err != nil {
		panic(err) // the text is part of the program
	}
	return names
}

// expression reports an expression's error at its place. The column is known only if the text is plain and in one line.
func (r *reader) expression(n *yaml.Node, err error) {
	var wrong *expression.Error
	if !errors.As(err, &wrong) {
		return
	}
	at := *n
	switch n.Style {
	case yaml.LiteralStyle:
		line := strings.Count(n.Value[:min(wrong.At, len(n.Value))], "\n")
		at.Line, at.Column = n.Line+1+line, 0
	case 0:
		if !strings.Contains(n.Value, "\n") {
			at.Column += len([]rune(n.Value[:min(wrong.At, len(n.Value))]))
		}
	}
	r.problem(&at, "%s", wrong.What)
}
