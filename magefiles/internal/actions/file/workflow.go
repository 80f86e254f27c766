package file

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
)

// Written is the start of the first line of a file written by `mage ci:write`. A digest follows.
const Written = "# Written by `mage ci:write`, sha256:"

// Workflow is a parsed workflow file.
type Workflow struct {
	File   string
	Top    Node // the whole file
	Events []Event
	Jobs   []*Job
}

// Event is an event that starts a workflow.
type Event struct {
	Name    string
	Line    int
	Filters map[string][]string // by key: branches, branches-ignore, tags, tags-ignore, paths, paths-ignore, types
	Lines   map[string]int      // the line of each filter
}

// Job is a job of a workflow.
type Job struct {
	ID          string
	Line        int
	Uses        string // the workflow that the job calls; "" for a job with steps
	Needs       []string
	Environment string
	Permissions Permissions
	Runs        []string // the scripts of its steps, as written
	Node        Node     // the whole job

	condition *expression.Expr // the job's `if`; nil if it has none
}

// Check returns the name of the job's check, for rules that require it: the name in the file, or the job's ID. If there are several checks with
// names derived from this one, several describes what they are for; otherwise it is "".
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

// Permissions maps the permissions of a job's token to read, write or none. If any permission is set, all others are "none". It is nil if none is
// set, so that the repository's settings apply.
type Permissions map[string]string

// Writes reports whether any permission is write. Settings never grant `id-token`.
func (p Permissions) Writes(right string) bool { return p[right] == "write" || p["*"] == "write" }

var jobID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// `at` returns the value of a key, or nil.
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

// `texts` returns the texts of a list, or the one text of a scalar.
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

// workflow collects the parts of a valid file, and reports problems that a schema cannot express.
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
			r.problem(key, "%q is not a valid job ID: use letters, digits, _ and -, and begin with a letter or _", j.ID)
		}
		j.condition = r.condition(at(n, "if"), "job-if")
		r.steps(j, at(n, "steps"))
		w.Jobs = append(w.Jobs, j)
	}
	r.needs(w, jobs)
	return w
}

// condition parses an `if:`, whose braces are optional.
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
				r.problem(of, "steps that run in parallel (%s) are not supported here", key)
			}
		}
		r.condition(at(n, "if"), "step-if")
		if id := at(n, "id"); id != nil {
			if ids[strings.ToLower(id.Value)] {
				r.problem(id, "an earlier step has the same id %q", id.Value)
			}
			ids[strings.ToLower(id.Value)] = true
		}
		if run := at(n, "run"); run != nil {
			j.Runs = append(j.Runs, run.Value)
		}
	}
}

// needs reports needs that are not jobs in the file, and cycles.
func (r *reader) needs(w *Workflow, jobs *yaml.Node) {
	done := map[string]bool{}
	waiting, of := map[string]int{}, map[string][]string{} // the number of unfinished needs of each job, and the jobs that depend on it
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
				r.problem(n, "the job %s needs %s, which does not exist", j.ID, need)
				told = true
			}
		}
		if !told {
			r.problem(n, "the job %s never starts, because its needs lead back to itself or to a job that never starts", j.ID)
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
