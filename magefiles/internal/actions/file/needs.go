package file

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

// Needs is what a workflow needs to run: each sorted, without repetitions, and as it stands in the file, with expressions.
type Needs struct {
	Events       []string // that start it
	Runners      []string // labels and groups of machines
	Images       []string // of containers and services
	Actions      []string // with what is behind their @
	Workflows    []string // that its jobs call
	Secrets      []string // "all" where a call inherits them
	Variables    []string // of the repository, the organization or an environment
	Rights       []string // "contents: read"; empty where it says nothing of permissions
	Environments []string
}

// What an expression is, a text in it, and a name of a context that is taken by a dot or in brackets.
var (
	braces  = lazyregexp.New(`(?s)\$\{\{.*?\}\}`)
	literal = lazyregexp.New(`'[^']*'`)
	byDot   = lazyregexp.New(`\b(secrets|vars)\s*\.\s*([A-Za-z_][\w-]*)`)
	byKey   = lazyregexp.New(`\b(secrets|vars)\s*\[\s*'([^']+)'\s*\]`)
)

// Needs is what the workflow needs.
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
	w.Top.eachText(func(text string) {
		refs(text, func(context, name string) {
			if context == "secrets" {
				n.Secrets = append(n.Secrets, name)
			} else {
				n.Variables = append(n.Variables, name)
			}
		})
	})
	for _, all := range []*[]string{&n.Events, &n.Runners, &n.Images, &n.Actions, &n.Workflows, &n.Secrets, &n.Variables, &n.Rights, &n.Environments} {
		slices.Sort(*all)
		*all = slices.DeleteFunc(slices.Compact(*all), func(s string) bool { return s == "" })
	}
	return n
}

// Comment is what stands behind the value in its line, from the # on; "" for nothing.
func (n Node) Comment() string {
	if n.n == nil {
		return ""
	}
	return n.n.LineComment
}

// refs calls f with each name that the expressions of a text take from the contexts of secrets and variables.
func refs(text string, f func(context, name string)) {
	for _, e := range braces().FindAllString(text, -1) {
		for _, m := range append(byKey().FindAllStringSubmatch(e, -1), byDot().FindAllStringSubmatch(literal().ReplaceAllString(e, "''"), -1)...) {
			f(m[1], m[2])
		}
	}
}

// runners are the labels of a `runs-on`, and its group.
func runners(n Node) (all []string) {
	for _, label := range append(n.At("labels").Items(), n.Items()...) {
		all = append(all, label.Text())
	}
	if group := n.At("group"); group.Is() {
		all = append(all, "group "+group.Text())
	}
	return all
}

// imageOf is the image of a container or a service.
func imageOf(n Node) string {
	if n.IsMapping() {
		n = n.At("image")
	}
	return n.Text()
}

// eachText calls f with each scalar below the value that may hold an expression.
func (n Node) eachText(f func(text string)) {
	switch {
	case n.IsMapping():
		for _, p := range n.Pairs() {
			if p.Key.Text() == "if" && !strings.Contains(p.Value.Text(), "${{") {
				f("${{" + p.Value.Text() + "}}") // its braces may be left out
				continue
			}
			p.Value.eachText(f)
		}
	case n.Text() != "":
		if strings.Contains(n.Text(), "${{") {
			f(n.Text())
		}
	default:
		for _, item := range n.Items() {
			if item != n {
				item.eachText(f)
			}
		}
	}
}
