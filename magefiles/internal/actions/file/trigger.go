package file

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
)

// filters holds the keys of an event's filters, each with the key that must not be used beside it.
var filters = map[string]string{
	"branches": "branches-ignore",
	"tags":     "tags-ignore",
	"paths":    "paths-ignore",
}

// events parses `on`, and rejects invalid patterns.
func (r *reader) events(w *Workflow, on *yaml.Node) {
	if on.Kind != yaml.MappingNode {
		for _, name := range texts(on) {
			w.Events = append(w.Events, Event{
				Name: name,
				Line: on.Line,
			})
		}
		return
	}
	for i := 0; i+1 < len(on.Content); i += 2 {
		key, n := on.Content[i], resolve(on.Content[i+1])
		e := Event{
			Name:    key.Value,
			Line:    key.Line,
			Filters: map[string][]string{},
			Lines:   map[string]int{},
		}
		for filter, other := range filters {
			if at(n, filter) != nil && at(n, other) != nil {
				r.problem(at(n, other), "%s cannot be combined with %s: to leave names out, use a pattern with !", other, filter)
			}
			for _, k := range []string{filter, other} {
				if of := at(n, k); of != nil {
					e.Filters[k], e.Lines[k] = texts(of), of.Line
					r.patterns(of, e.Filters[k], k == filter)
				}
			}
		}
		if types := at(n, "types"); types != nil {
			e.Filters["types"] = texts(types)
		}
		w.Events = append(w.Events, e)
	}
}

func (r *reader) patterns(n *yaml.Node, all []string, negative bool) {
	positive := false
	for _, p := range all {
		positive = positive || !strings.HasPrefix(p, "!")
		if _, err := compile(strings.TrimPrefix(p, "!")); err != nil {
			r.problem(n, "%q is not a valid pattern: %v", p, err)
		}
	}
	if negative && !positive {
		r.problem(n, "all patterns begin with !, which only excludes: add a pattern without !")
	}
}

// compile converts a pattern to a regular expression. It follows GitHub's documentation: * does not match /, ** does, ? and + apply to the preceding
// character, and brackets match one character.
func compile(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`^`)
	for rest := pattern; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:.*/)?`)
			rest = rest[3:]
			continue
		case strings.HasPrefix(rest, "**"):
			b.WriteString(`.*`)
			rest = rest[2:]
			continue
		}
		c := rest[0]
		switch {
		case c == '*':
			b.WriteString(`[^/]*`)
		case c == '?' || c == '+':
			if rest == pattern {
				return nil, fmt.Errorf("no character precedes %c", c)
			}
			b.WriteByte(c)
		case c == '[':
			end := strings.IndexByte(rest, ']')
			if end < 2 {
				return nil, fmt.Errorf("a bracket is empty or not closed")
			}
			b.WriteString("[" + strings.NewReplacer(`\`, `\\`, `^`, `\^`, `[`, `\[`).Replace(rest[1:end]) + "]")
			rest = rest[end:]
		case c == '\\' && len(rest) > 1:
			b.WriteString(regexp.QuoteMeta(rest[1:2]))
			rest = rest[1:]
		default:
			b.WriteString(regexp.QuoteMeta(string([]byte{c})))
		}
		rest = rest[1:]
	}
	b.WriteString(`$`)
	return regexp.Compile(b.String())
}

// pattern is a compiled pattern, which includes or excludes matching names.
type pattern struct {
	*regexp.Regexp
	out bool
}

type patterns []pattern

// compileAll compiles the patterns. It skips invalid ones.
func compileAll(texts []string) (all patterns) {
	for _, p := range texts {
		positive, out := strings.CutPrefix(p, "!")
		if re, err := compile(positive); err == nil {
			all = append(all, pattern{
				Regexp: re,
				out:    out,
			})
		}
	}
	return all
}

// match reports whether the patterns accept a name. The last matching pattern decides.
func (all patterns) match(name string) bool {
	for _, p := range slices.Backward(all) {
		if p.MatchString(name) {
			return !p.out
		}
	}
	return false
}

// matches compiles patterns, and reports whether they accept a name.
func matches(texts []string, name string) bool { return compileAll(texts).match(name) }

// StartsFor reports whether the workflow starts for one of the events, whatever their filters.
func (w *Workflow) StartsFor(events ...string) bool {
	return slices.ContainsFunc(w.Events, func(e Event) bool { return slices.Contains(events, e.Name) })
}

// StartsForTag reports whether the push of a tag starts the workflow, and if not, why.
func (w *Workflow) StartsForTag(tag string) (starts bool, why string) {
	return w.Starts(Occurrence{
		Event: "push",
		Ref:   tagRefs + tag,
	})
}

// RunsForTag reports whether a job's condition is true for a tag, provided that the jobs before it have passed. A condition that uses other contexts
// than github counts as true.
func (j *Job) RunsForTag(repository, tag string) bool {
	if j.condition == nil || j.condition.Uses("needs", "vars", "inputs") {
		return true
	}
	owner, _, _ := strings.Cut(repository, "/")
	is := func(v bool) func([]expression.Value) (expression.Value, error) {
		return func([]expression.Value) (expression.Value, error) { return v, nil }
	}
	v, err := j.condition.Eval(expression.Env{
		Contexts: expression.NewObject("github", expression.NewObject(
			"event_name", "push",
			"ref", "refs/tags/"+tag,
			"ref_name", tag,
			"ref_type", "tag",
			"repository", repository,
			"repository_owner", owner,
		)),
		Functions: map[string]func([]expression.Value) (expression.Value, error){
			"success":   is(true),
			"always":    is(true),
			"failure":   is(false),
			"cancelled": is(false),
		},
	})
	return err != nil || expression.Truthy(v)
}
