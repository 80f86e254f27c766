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

// Problem is what is wrong with a file, and where. Lines and columns count from 1; a column is 0 where only the line is known.
type Problem struct {
	File         string
	Line, Column int
	What         string
	Elsewhere    bool // nothing is wrong with it: it is for GitHub, and not run here
}

func (p *Problem) Error() string {
	if p.Column == 0 {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.What)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.What)
}

// IsWrong reports whether a problem that an error has is one of the file, and not only of where it is run.
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

// Limits of what is looked at: aliases may say much with few bytes.
const (
	maxNodes = 50_000
	maxDepth = 100
)

// Read reads a workflow file. An error is one [Problem], or several that are joined.
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

// parse reads the file's YAML; nil where it has none, or what is not YAML.
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

// err is all problems, in the order of the file; nil where there is none.
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

// value holds a value against a definition. what names it in sentences.
func (r *reader) value(n *yaml.Node, definition string, context []string, what string) {
	if r.nodes++; r.nodes > maxNodes || r.depth > maxDepth {
		if r.nodes <= maxNodes+1 {
			r.problem(n, "the file is larger than what is looked at: %d values, %d levels", maxNodes, maxDepth)
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

// mapping holds keys and values against the ways that know all the keys.
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
			r.problem(key, "a key of %s has to be a text", what)
			return
		case name == "<<" && key.Tag == "!!merge":
			r.problem(key, "GitHub has anchors and aliases, and no merge keys")
			return
		case seen[strings.ToLower(name)]:
			r.problem(key, "%q stands here twice", name)
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
		r.problem(key, "there is no %q in %s: is it %q?", key.Value, what, near)
		return
	}
	r.problem(key, "there is no %q in %s: it has %s", key.Value, what, strings.Join(known, ", "))
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
		r.problem(n, "%q is not possible for %s: is it %q?", n.Value, what, near)
	case len(known) > 0:
		r.problem(n, "%q is not possible for %s: it is one of %s", n.Value, what, strings.Join(known, ", "))
	default:
		r.problem(n, "%q is not possible for %s", n.Value, what)
	}
}

// names are what an expression may use.
func (r *reader) names(context []string) expression.Names {
	names, err := expression.Allow(context...)
	if err != nil {
		panic(err) // it is part of the program
	}
	return names
}

// expression tells an expression's error at its place, which is known to the column where the text stands as it is in one line.
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
