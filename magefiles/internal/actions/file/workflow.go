package file

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
)

// Written is what the first line of a file begins with that `mage ci:write` wrote; a digest follows.
const Written = "# Written by `mage ci:write`, sha256:"

// Workflow is what a file says.
type Workflow struct {
	File   string
	Top    Node // the whole file
	Events []Event
	Jobs   []*Job
}

// Event is one that a workflow starts for.
type Event struct {
	Name    string
	Line    int
	Filters map[string][]string // by key: branches, branches-ignore, tags, tags-ignore, paths, paths-ignore, types
	Lines   map[string]int      // where each of them stands
}

// Job is a job of a workflow.
type Job struct {
	ID          string
	Line        int
	Uses        string // the workflow that it calls; "" for a job with steps
	Needs       []string
	Environment string
	Permissions Permissions
	Runs        []string // what its steps run, as it stands
	Node        Node     // the whole job

	condition *expression.Expr // its `if`; nil where it has none
}

// Check is the name of the check that the job makes, by which a rule requires it: the one that it is given, or its ID. several says for what there is one each,
// under a name of its own that is made of this one; "" where this one is the only one.
func (j *Job) Check() (name, several string) {
	name = cmp.Or(j.Node.At("name").Text(), j.ID)
	switch {
	case j.Uses != "":
		return name, "job of the workflow that it calls"
	case j.Node.At("strategy", "matrix").Is():
		return name, "combination of its matrix"
	}
	return name, ""
}

// Permissions are the rights that a token of a job has, by their names: read, write or none. A right that is not named is "none" where any is
// named, and what the repository's settings say otherwise: nil.
type Permissions map[string]string

// Writes reports whether a job may write what a right is about. `id-token` is never part of what settings give.
func (p Permissions) Writes(right string) bool { return p[right] == "write" || p["*"] == "write" }

var jobID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// at is the value of a key, or nil.
func at(n *yaml.Node, key string) *yaml.Node {
	n = resolve(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolve(n.Content[i+1])
		}
	}
	return nil
}

func resolve(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// texts are those of a list, or the one of a scalar.
func texts(n *yaml.Node) (all []string) {
	switch n = resolve(n); {
	case n == nil:
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			all = append(all, resolve(item).Value)
		}
	case n.Kind == yaml.ScalarNode:
		all = append(all, n.Value)
	}
	return all
}

func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// workflow takes from a file that fits the schema what is asked of it, and tells what no schema can.
func (r *reader) workflow(top *yaml.Node) *Workflow {
	w := &Workflow{
		File: r.name,
		Top:  Node{file: r.name}.with(top),
	}
	r.events(w, at(top, "on"))
	rights := permissions(at(top, "permissions"))
	jobs := at(top, "jobs")
	for i := 0; i+1 < len(jobs.Content); i += 2 {
		key, n := jobs.Content[i], resolve(jobs.Content[i+1])
		j := &Job{
			ID:          key.Value,
			Line:        key.Line,
			Uses:        text(at(n, "uses")),
			Needs:       texts(at(n, "needs")),
			Environment: text(at(n, "environment")),
			Permissions: rights,
			Node:        Node{file: r.name}.with(n),
		}
		if name := at(at(n, "environment"), "name"); name != nil {
			j.Environment = name.Value
		}
		if own := at(n, "permissions"); own != nil {
			j.Permissions = permissions(own)
		}
		if !jobID.MatchString(j.ID) {
			r.problem(key, "%q is not a possible name of a job: letters, digits, _ and -, and first a letter or _", j.ID)
		}
		j.condition = r.condition(at(n, "if"), "job-if")
		r.steps(j, at(n, "steps"))
		w.Jobs = append(w.Jobs, j)
	}
	r.needs(w, jobs)
	return w
}

// condition reads an `if:`, whose braces may be left out.
func (r *reader) condition(n *yaml.Node, definition string) *expression.Expr {
	if n == nil {
		return nil
	}
	e, err := expression.ParseCondition(n.Value, r.names(schema()[definition].Context))
	r.expression(n, err)
	return e
}

func (r *reader) steps(j *Job, list *yaml.Node) {
	if list == nil {
		return
	}
	ids := map[string]bool{}
	for _, n := range list.Content {
		n = resolve(n)
		for _, key := range []string{"background", "wait", "wait-all", "cancel", "parallel"} {
			if of := at(n, key); of != nil {
				r.problem(of, "steps that run beside others (%s) are not known here", key)
			}
		}
		r.condition(at(n, "if"), "step-if")
		if id := at(n, "id"); id != nil {
			if ids[strings.ToLower(id.Value)] {
				r.problem(id, "there is a step %q before this one", id.Value)
			}
			ids[strings.ToLower(id.Value)] = true
		}
		if run := at(n, "run"); run != nil {
			j.Runs = append(j.Runs, run.Value)
		}
	}
}

// needs tells needs of jobs that are not there, and circles.
func (r *reader) needs(w *Workflow, jobs *yaml.Node) {
	done := map[string]bool{}
	waiting, of := map[string]int{}, map[string][]string{} // how many needs a job waits for, and which jobs wait for one
	var ready []string
	for _, j := range w.Jobs {
		if waiting[j.ID] = len(j.Needs); len(j.Needs) == 0 {
			ready = append(ready, j.ID)
		}
		for _, n := range j.Needs {
			of[n] = append(of[n], j.ID)
		}
	}
	for len(ready) > 0 {
		id := ready[0]
		ready, done[id] = ready[1:], true
		for _, next := range of[id] {
			if waiting[next]--; waiting[next] == 0 {
				ready = append(ready, next)
			}
		}
	}
	for i, j := range w.Jobs {
		if done[j.ID] {
			continue
		}
		n := at(jobs.Content[2*i+1], "needs")
		told := false
		for _, need := range j.Needs {
			if !slices.ContainsFunc(w.Jobs, func(o *Job) bool { return o.ID == need }) {
				r.problem(n, "the job %s needs %s, which is not there", j.ID, need)
				told = true
			}
		}
		if !told {
			r.problem(n, "the job %s waits, by way of its needs, for itself or for a job that never runs", j.ID)
		}
	}
}

func permissions(n *yaml.Node) Permissions {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.ScalarNode:
		level, _, _ := strings.Cut(n.Value, "-") // read-all or write-all
		return Permissions{"*": level}
	}
	p := Permissions{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		p[n.Content[i].Value] = resolve(n.Content[i+1]).Value
	}
	return p
}
