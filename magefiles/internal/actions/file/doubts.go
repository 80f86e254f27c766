package file

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Faults returns two kinds of mistakes, each as a [Problem]. The first is a reference to a job, step, output, input or matrix key that does not
// exist: GitHub ignores it silently, and the expression is empty. The second is a job that has no steps and calls no workflow: GitHub rejects the
// file.
func (w *Workflow) Faults() (found []error) {
	for _, j := range w.Jobs {
		all := &names{
			w:      w,
			j:      j,
			matrix: matrixKeys(j.Node.At("strategy", "matrix")),
		}
		for _, p := range j.Node.Pairs() {
			if p.Key.Text() != "steps" {
				all.look(p.Value, p.Key.Text() == "if", p.Key.Text() == "outputs")
			}
		}
		for _, s := range j.Node.At("steps").Items() {
			for _, p := range s.Pairs() {
				all.look(p.Value, p.Key.Text() == "if", false)
			}
			if id := s.At("id").Text(); id != "" {
				all.before = append(all.before, id)
			}
		}
		found = append(found, all.found...)
		if j.Uses == "" && len(j.Node.At("steps").Items()) == 0 {
			found = append(found, j.Node.Problem("the job %s has no steps and calls no workflow, so GitHub refuses the file", j.ID))
		}
	}
	return found
}

// `names` holds the names that a job's expressions may use.
type names struct {
	w      *Workflow
	j      *Job
	before []string // IDs of the preceding steps
	matrix []string // keys of its matrix; nil if they are unknown, empty if the job has no matrix
	found  []error
}

// look checks all names in a value's expressions. `last` reports whether all steps have run, as for the job's outputs.
func (a *names) look(n Node, condition, last bool) {
	if n.n == nil {
		return
	}
	switch n.n.Kind {
	case yaml.MappingNode:
		for _, p := range n.Pairs() {
			a.look(p.Value, false, last)
		}
		return
	case yaml.SequenceNode:
		for _, item := range n.Items() {
			a.look(item, false, last)
		}
		return
	}
	for _, p := range n.paths(condition) {
		if what := a.lacks(p, last); what != "" {
			a.found = append(a.found, n.lineOf(strings.Join(p, ".")).Problem("%s", what))
		}
	}
}

// lineOf returns the line of a multi-line text that contains the words, or the value itself if there is none.
func (n Node) lineOf(words string) Node {
	if !n.IsBlock() {
		return n
	}
	for i, line := range strings.Split(n.n.Value, "\n") {
		if n.n.Style&yaml.LiteralStyle != 0 && strings.Contains(line, words) {
			at := *n.n
			at.Line, at.Column = n.n.Line+1+i, 1
			return n.with(&at)
		}
	}
	return n
}

// `lacks` returns the part of a path that does not exist, or "" if the path exists or this is unknown.
func (a *names) lacks(p expression.Path, last bool) string {
	if len(p) < 2 {
		return ""
	}
	one := strings.ToLower(p[1])
	switch p[0] {
	case "needs":
		return a.lacksNeed(p)
	case "steps":
		ids := a.before
		if last {
			ids = stepIDs(a.j)
		}
		if !has(ids, one) {
			return fmt.Sprintf("no earlier step has the id %s%s", p[1], suggestion(p[1], stepIDs(a.j)))
		}
	case "matrix":
		if a.matrix != nil && !has(a.matrix, one) {
			return fmt.Sprintf("the matrix of the job %s has no key %s%s", a.j.ID, p[1], suggestion(p[1], a.matrix))
		}
	case "inputs":
		var inputs []string
		for _, event := range []string{"workflow_call", "workflow_dispatch"} {
			for _, i := range a.w.Top.At("on", event, "inputs").Pairs() {
				inputs = append(inputs, i.Key.Text())
			}
		}
		if !has(inputs, one) {
			return fmt.Sprintf("the workflow has no input %s%s", p[1], suggestion(p[1], inputs))
		}
	}
	return ""
}

func (a *names) lacksNeed(p expression.Path) string {
	if !has(a.j.Needs, p[1]) {
		return fmt.Sprintf("the job %s does not list %s in its needs, so %s is always empty%s", a.j.ID, p[1], strings.Join(p, "."), suggestion(p[1], a.j.Needs))
	}
	i := slices.IndexFunc(a.w.Jobs, func(j *Job) bool { return strings.EqualFold(j.ID, p[1]) })
	if len(p) < 3 || i < 0 {
		return ""
	}
	if !has([]string{"result", "outputs"}, p[2]) {
		return fmt.Sprintf("the context of a needed job has only result and outputs, not %s", p[2])
	}
	if len(p) < 4 || a.w.Jobs[i].Uses != "" {
		return ""
	}
	var outputs []string
	for _, o := range a.w.Jobs[i].Node.At("outputs").Pairs() {
		outputs = append(outputs, o.Key.Text())
	}
	if has(outputs, p[3]) {
		return ""
	}
	return fmt.Sprintf("the job %s has no output %s%s", p[1], p[3], suggestion(p[3], outputs))
}

func has(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

func suggestion(name string, names []string) string {
	if near := manifest.Nearest(name, names); near != "" {
		return ": is it " + near + "?"
	}
	return ""
}

func stepIDs(j *Job) (ids []string) {
	for _, s := range j.Node.At("steps").Items() {
		if id := s.At("id").Text(); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// matrixKeys returns the keys of a matrix, or nil if they are computed by an expression.
func matrixKeys(m Node) []string {
	keys := []string{}
	if !m.Is() {
		return keys
	}
	if !m.IsMapping() {
		return nil
	}
	for _, p := range m.Pairs() {
		switch p.Key.Text() {
		case "exclude":
		case "include":
			for _, item := range p.Value.Items() {
				if !item.IsMapping() {
					return nil
				}
				for _, k := range item.Pairs() {
					keys = append(keys, k.Key.Text())
				}
			}
		default:
			keys = append(keys, p.Key.Text())
		}
	}
	return keys
}

// Doubts returns parts of the file that are valid but rarely intended, each as a [Problem]. `tracked` lists all files in the commit, relative to the
// repository root; `known` lists the existing secrets.
func (w *Workflow) Doubts(tracked, known []string) (found []error) {
	for _, e := range w.Events {
		for _, item := range w.Top.At("on", e.Name, "paths").Items() {
			if p := compileAll([]string{strings.TrimPrefix(item.Text(), "!")}); len(p) == 1 && !slices.ContainsFunc(tracked, p.match) {
				found = append(found, item.Problem("no file of the commit matches %s", item.Text()))
			}
		}
	}
	if push := slices.IndexFunc(w.Events, func(e Event) bool { return e.Name == "push" && len(e.Filters) == 0 }); push >= 0 {
		if i := slices.IndexFunc(w.Jobs, func(j *Job) bool { return j.Environment != "" && j.Permissions.Writes("id-token") }); i >= 0 {
			found = append(found, &Problem{
				File: w.File,
				Line: w.Events[push].Line,
				What: "a push of any branch also starts this workflow, and then the job " + w.Jobs[i].ID + " can get an ID token: add a filter for tags",
			})
		}
	}
	if w.StartsForTags() && slices.ContainsFunc(w.Jobs, func(j *Job) bool { return j.writes() }) {
		found = append(found, w.publishesInTurns()...)
	}
	found = append(found, w.habits(tracked)...)
	for _, s := range w.Secrets() {
		names := append(slices.Clone(known), s.Key)
		if near := manifest.Nearest(s.Name, names); near != "" && !has(names, s.Name) {
			found = append(found, s.At.Problem("secrets.%s is empty if there is no secret with this name: is it %s?", s.Name, near))
		}
	}
	return found
}

// publishesInTurns returns doubts about the concurrency group of a workflow that publishes tags.
func (w *Workflow) publishesInTurns() (found []error) {
	of := w.Top.At("concurrency")
	group := groupOf(of)
	if own := of.At("cancel-in-progress"); own.True() {
		found = append(found, own.Problem("cancel-in-progress cancels a run in the middle of publishing when a tag starts the next run of the group"))
	}
	if group.Is() && !strings.Contains(group.Text(), "${{") && w.Top.At("concurrency", "queue").Text() != "max" {
		found = append(found, group.Problem("all tags share one group, in which only one run can wait: of three tags, the second is canceled. Put `${{ github.ref }}` in the name of the group"))
	}
	return found
}

// StartsForTags reports whether a pushed tag may trigger the workflow.
func (w *Workflow) StartsForTags() bool {
	return slices.ContainsFunc(w.Events, func(e Event) bool {
		return e.Name == "push" && (e.Filters["tags"] != nil || e.Filters["tags-ignore"] != nil || e.Filters["branches"] == nil && e.Filters["branches-ignore"] == nil)
	})
}

// writes reports whether a job may change something outside its run.
func (j *Job) writes() bool {
	return slices.ContainsFunc([]string{"id-token", "contents", "packages", "deployments", "pages"}, j.Permissions.Writes)
}
