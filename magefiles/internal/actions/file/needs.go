package file

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
)

// Needs lists what a workflow needs to run. The lists are sorted and have no duplicates. Values are as in the file, including expressions.
type Needs struct {
	Events       []string // events that start the workflow
	Runners      []string // labels and groups of machines
	Images       []string // images of containers and services
	Actions      []string // including the version after @
	Workflows    []string // workflows that the jobs call
	Secrets      []string // "all" if a call inherits them
	Variables    []string // variables of the repository, organization or environment
	Rights       []string // "contents: read"; empty if the workflow has no permissions
	Environments []string
}

// Needs returns what the workflow needs.
func (w *Workflow) Needs() Needs {
	var n Needs
	for _, e := range w.Events {
		n.Events = append(n.Events, e.Name)
	}
	named := func(p Permissions) {
		for right, level := range p {
			if right == "*" {
				right = "all"
			}
			n.Rights = append(n.Rights, right+": "+level)
		}
	}
	for _, j := range w.Jobs {
		named(j.Permissions)
		n.Workflows = append(n.Workflows, j.Uses)
		n.Environments = append(n.Environments, j.Environment)
		n.Runners = append(n.Runners, runners(j.Node.At("runs-on"))...)
		n.Images = append(n.Images, imageOf(j.Node.At("container")))
		for _, s := range j.Node.At("services").Pairs() {
			n.Images = append(n.Images, imageOf(s.Value))
		}
		for _, s := range j.Node.At("steps").Items() {
			n.Actions = append(n.Actions, s.At("uses").Text())
		}
		if j.Node.At("secrets").Text() == "inherit" {
			n.Secrets = append(n.Secrets, "all")
		}
	}
	for _, s := range w.Secrets() {
		n.Secrets = append(n.Secrets, s.Name)
	}
	w.Top.eachPath("", func(p expression.Path, _ string, _ Node) {
		if p[0] == "vars" && len(p) > 1 {
			n.Variables = append(n.Variables, p[1])
		}
	})
	for _, all := range []*[]string{&n.Events, &n.Runners, &n.Images, &n.Actions, &n.Workflows, &n.Secrets, &n.Variables, &n.Rights, &n.Environments} {
		slices.Sort(*all)
		*all = slices.DeleteFunc(slices.Compact(*all), func(s string) bool { return s == "" })
	}
	return n
}

// Comment returns the comment after the value on its line, starting with #, or "" if there is none.
func (n Node) Comment() string {
	if n.n == nil {
		return ""
	}
	return n.n.LineComment
}

// runners returns the labels of a `runs-on`, and its group.
func runners(n Node) (all []string) {
	for _, label := range append(n.At("labels").Items(), n.Items()...) {
		all = append(all, label.Text())
	}
	if group := n.At("group"); group.Is() {
		all = append(all, "group "+group.Text())
	}
	return all
}

// imageOf returns the image of a container or a service.
func imageOf(n Node) string {
	if n.IsMapping() {
		n = n.At("image")
	}
	return n.Text()
}

// Secret is a use of a secret in a workflow.
type Secret struct {
	Name string // name of the secret, as the file spells it
	Key  string // key of the value that uses the secret: a variable of `env`, an input of an action, or a secret of a called workflow
	At   Node

	Environment string // the job's environment, if the file names it without an expression; otherwise ""
}

// Secrets returns all places where the workflow uses a secret by name.
func (w *Workflow) Secrets() (all []Secret) {
	for _, p := range w.Top.Pairs() {
		if p.Key.Text() != "jobs" {
			all = append(all, p.Value.secrets(p.Key.Text(), "")...)
		}
	}
	for _, j := range w.Jobs {
		environment := j.Environment
		if strings.Contains(environment, "${{") {
			environment = ""
		}
		all = append(all, j.Node.secrets("", environment)...)
	}
	return all
}

func (n Node) secrets(key, environment string) (all []Secret) {
	n.eachPath(key, func(p expression.Path, key string, at Node) {
		if p[0] == "secrets" && len(p) > 1 {
			all = append(all, Secret{
				Name:        p[1],
				Key:         key,
				Environment: environment,
				At:          at.lineOf(strings.Join(p, ".")),
			})
		}
	})
	return all
}

// eachPath visits the context paths in a value's expressions, each with the key of the value.
func (n Node) eachPath(key string, visit func(p expression.Path, key string, at Node)) {
	switch {
	case n.n == nil:
	case n.n.Kind == yaml.MappingNode:
		for _, p := range n.Pairs() {
			p.Value.eachPath(p.Key.Text(), visit)
		}
	case n.n.Kind == yaml.SequenceNode:
		for _, item := range n.Items() {
			item.eachPath(key, visit)
		}
	default:
		for _, p := range n.paths(key == "if") {
			visit(p, key, n)
		}
	}
}

// paths returns the context paths in a text's expressions. In a condition, the braces are optional.
func (n Node) paths(condition bool) []expression.Path {
	if condition {
		if e, err := expression.ParseCondition(n.Text(), all); err == nil {
			return e.Paths()
		}
		return nil
	}
	if t, err := expression.ParseTemplate(n.Text(), all); err == nil {
		return t.Paths()
	}
	return nil
}
