package taskrun

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// step is a task with its environment and arguments.
type step struct {
	task        *manifest.Task
	environment string
	command     string       // the task's command, with arguments
	script      *syntax.File // exports for the task's env, then the command; nil for an alias
	dir         string
	uses        []use // variables whose values must still be checked
	refusals    []string
}

// makePlan returns a task and all its direct and indirect dependencies, dependencies first. A task runs only once for each combination of
// environment and arguments.
func makePlan(o Options) ([]*step, error) {
	p := &planner{o: o, done: map[string]bool{}}
	err := p.visit(manifest.TaskDependency{Task: o.Task}, o.Args, nil)
	return p.steps, err
}

type planner struct {
	o     Options
	steps []*step
	done  map[string]bool
}

// visit adds a task after its dependencies. `path` lists the tasks that led to this task.
func (p *planner) visit(d manifest.TaskDependency, args, path []string) error {
	key := strings.Join(append([]string{d.Task, d.Environment}, args...), "\x00")
	if p.done[key] {
		return nil
	}
	if slices.Contains(path, key) {
		return operr.New("remove one of these entries of depends-on", "tasks depend on each other in a circle: %s", printCircle(path, key))
	}
	task, environment, err := p.o.Manifest.Task(d.Task, cmp.Or(d.Environment, p.o.Environment), p.o.Platform)
	if err != nil {
		return p.refuseUnknown(d.Task, path, err)
	}
	s := p.planStep(task, environment.Name, args)
	for _, next := range task.DependsOn {
		if err := p.visit(next, listValues(next.Args), append(path, key)); err != nil {
			return err
		}
	}
	p.done[key] = true
	p.steps = append(p.steps, s)
	return nil
}

// refuseUnknown returns an error that names the task that depends on an unknown one, because in this case the manifest is wrong and not the
// command line.
func (p *planner) refuseUnknown(name string, path []string, err error) error {
	if len(path) == 0 {
		return err
	}
	by, _, _ := strings.Cut(path[len(path)-1], "\x00")
	return &operr.Error{
		Summary: fmt.Sprintf("task %s depends on %s: %v", by, name, err),
		Next:    "name a task of the same environment in depends-on of " + p.o.Manifest.Path,
		Status:  operr.Failed,
		Err:     err,
	}
}

// printCircle returns the names on the path from the first visit of key, which form a cycle.
func printCircle(path []string, key string) string {
	var names []string
	for _, k := range append(path[slices.Index(path, key):], key) {
		name, _, _ := strings.Cut(k, "\x00")
		names = append(names, name)
	}
	return strings.Join(names, " → ")
}

// listValues returns a dependency's arguments in the form in which a task without declared arguments receives them.
func listValues(args []manifest.KeyValue) []string {
	var out []string
	for _, a := range args {
		if a.Key != "" {
			a.Value = a.Key + "=" + a.Value
		}
		out = append(out, a.Value)
	}
	return out
}

// planStep prepares one task, and records every reason why it cannot run here.
func (p *planner) planStep(t *manifest.Task, environment string, args []string) *step {
	s := &step{task: t, environment: environment}
	if s.dir = filepath.FromSlash(t.Cwd); !filepath.IsAbs(s.dir) {
		s.dir = filepath.Join(p.o.Root, s.dir)
	}
	s.checkTask(args)
	if t.Alias || len(s.refusals) > 0 {
		return s
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	s.command = t.Cmd
	for _, a := range args {
		s.command += " " + quote(a)
	}
	s.parse(writeExports(t.Env) + s.command)
	return s
}

// checkTask rejects task features of pixi that this runner does not support.
func (s *step) checkTask(args []string) {
	t := s.task
	switch {
	case t.TypedArgs():
		s.refuse("has typed args, which pixi puts into its template")
	case t.CleanEnv:
		s.refuse("has clean-env, and only pixi knows which variables clean-env keeps")
	case t.Alias && len(args) > 0:
		s.refuse("has only depends-on, so no command would get the arguments %q", args)
	case !t.Alias && strings.TrimSpace(t.Cmd) == "":
		s.refuse("has an empty command")
	}
	for _, text := range listTemplates(t) {
		if template.MatchString(text) {
			s.refuse("has the template %q, which only pixi fills in", template.FindString(text))
		}
	}
	if info, err := os.Stat(s.dir); t.Cwd != "" && (err != nil || !info.IsDir()) {
		s.refuse("has cwd %q, which is not a folder", t.Cwd)
	}
	for _, kv := range t.Env {
		if !syntax.ValidName(kv.Key) {
			s.refuse("sets %q, which is not a valid name of a variable", kv.Key)
		}
	}
}

// template matches the start of a template that would be rendered by minijinja.
var template = regexp.MustCompile(`\{\{|\{%|\{#`)

// listTemplates returns the strings of a task that pixi renders as templates.
func listTemplates(t *manifest.Task) []string {
	texts := []string{t.Cmd}
	for _, kv := range t.Env {
		texts = append(texts, kv.Value)
	}
	for _, d := range t.DependsOn {
		texts = append(texts, listValues(d.Args)...)
	}
	return texts
}

func (s *step) refuse(format string, args ...any) {
	s.refusals = append(s.refusals, fmt.Sprintf(format, args...))
}

// writeExports returns a script that sets a task's env as pixi does: in order and expanded by the shell, so that a value can refer to earlier
// ones.
func writeExports(env []manifest.KeyValue) string {
	var b strings.Builder
	for _, kv := range env {
		fmt.Fprintf(&b, "export %s=\"%s\"\n", kv.Key, strings.ReplaceAll(kv.Value, `"`, `\"`))
	}
	return b.String()
}

// quote quotes an argument for both shells.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'" }
