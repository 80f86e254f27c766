package manifest

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// readTasks reads a [tasks] table (crates/pixi_manifest/src/toml/task.rs). Unknown keys are errors, as in pixi.
func (s *File) readTasks(n *tomledit.Node, feature, target string) []*Task {
	if !s.Want(n, tomledit.Table) {
		return nil
	}
	var tasks []*Task
	for _, e := range n.Children {
		t := &Task{Pos: s.Pos(e), Name: e.Key, Feature: feature, Target: target}
		switch {
		case e.Is(tomledit.String):
			t.Cmd = e.Text()
		case e.Is(tomledit.Array):
			t.Alias, t.DependsOn = true, s.readDependsOn(e, false)
		case s.Want(e, tomledit.Table):
			s.readTask(e, t)
		}
		tasks = append(tasks, t)
	}
	return tasks
}

// The keys allowed in a task, and those allowed in a task without cmd.
var (
	taskKeys  = []string{"cmd", "inputs", "outputs", "depends-on", "depends_on", "cwd", "env", "default-environment", "description", "clean-env", "args"}
	aliasKeys = []string{"depends-on", "depends_on", "description", "args"}
)

func (s *File) readTask(n *tomledit.Node, t *Task) {
	keys := taskKeys
	if t.Alias = !n.Has("cmd"); t.Alias {
		keys = aliasKeys
	}
	for _, e := range n.Children {
		if !slices.Contains(keys, e.Key) {
			s.FailKey(e, "a task", keys)
		}
		switch e.Key {
		case "cmd":
			s.readCmd(e, t)
		case "depends-on", "depends_on":
			t.DependsOn = s.readDependsOn(e, true)
		case "args":
			t.Args = s.readArgs(e)
		case "inputs":
			t.Inputs = s.Strs(e)
		case "outputs":
			t.Outputs = s.Strs(e)
		case "cwd":
			t.Cwd = s.Str(e)
		case "env":
			t.Env = s.pairs(e)
		case "description":
			t.Description = s.Str(e)
		case "default-environment":
			t.Environment = s.Str(e)
		case "clean-env":
			t.CleanEnv = s.Bool(e)
		}
	}
}

// FailKey records an unknown key as a problem, and suggests the most similar known key.
func (s *File) FailKey(e *tomledit.Node, what string, keys []string) {
	s.FailAt(s.Pos(e), "remove or correct the key: "+Suggest(e.Key, keys)+ListNames(keys)+".", "%s has no key %s", what, tomledit.JoinKey(e.Key))
}

func (s *File) readCmd(n *tomledit.Node, t *Task) {
	if n.Is(tomledit.Array) {
		t.Words = s.Strs(n)
		quoted := make([]string, len(t.Words))
		for i, w := range t.Words {
			quoted[i] = Quote(w)
		}
		t.Cmd = strings.Join(quoted, " ")
		return
	}
	t.Cmd = s.Str(n)
}

// readDependsOn reads depends-on: a name, or a list of names and { task, args, environment } tables. In the short form of an alias,
// where the task itself is a list, only tables are allowed.
func (s *File) readDependsOn(n *tomledit.Node, names bool) []TaskDependency {
	if names && n.Is(tomledit.String) {
		return []TaskDependency{{Task: n.Text()}}
	}
	if !s.Want(n, tomledit.Array) {
		return nil
	}
	var out []TaskDependency
	for _, e := range n.Children {
		if names && e.Is(tomledit.String) {
			out = append(out, TaskDependency{Task: e.Text()})
			continue
		}
		if !e.Is(tomledit.Table) || e.Get("task").Text() == "" {
			s.Fail(e, `Write { task = "name" }.`, "an element of the list must be a table with the key `task`")
			continue
		}
		d := TaskDependency{Task: e.Get("task").Text(), Environment: s.Str(e.Get("environment"))}
		for _, k := range e.Children {
			if !slices.Contains([]string{"task", "args", "environment"}, k.Key) {
				s.FailKey(k, "a task's dependency", []string{"task", "args", "environment"})
			}
		}
		for _, a := range e.Get("args").Elements() {
			d.Args = append(d.Args, s.readDependencyArg(a))
		}
		out = append(out, d)
	}
	return out
}

// readDependencyArg reads "value", or { name = "value" }.
func (s *File) readDependencyArg(n *tomledit.Node) KeyValue {
	if members := n.Members(); len(members) == 1 {
		return KeyValue{Key: members[0].Key, Value: s.Str(members[0])}
	}
	return KeyValue{Value: s.Str(n)}
}

// readArgs reads declared arguments: "name", or { arg = "name", default = "…", choices = […] }. It never returns nil.
func (s *File) readArgs(n *tomledit.Node) []TaskArg {
	out := []TaskArg{}
	if !s.Want(n, tomledit.Array) {
		return out
	}
	for _, e := range n.Children {
		arg := TaskArg{Name: e.Text()}
		if e.Is(tomledit.Table) {
			arg.Name, arg.Default, arg.HasDefault = s.Str(e.Get("arg")), s.Str(e.Get("default")), e.Has("default")
			arg.Choices = s.Strs(e.Get("choices"))
		}
		switch {
		case arg.Name == "":
			s.Fail(e, `Write "name", or { arg = "name", default = "…" }.`, "a task's argument must have a name")
		case len(out) > 0 && out[len(out)-1].HasDefault && !arg.HasDefault:
			s.Fail(e, "give the argument a default, or move it before the arguments with a default", "argument %s has no default, but follows an argument with a default", arg.Name)
		}
		out = append(out, arg)
	}
	return out
}

// Quote quotes a word of a cmd array as pixi does when it joins the words (crates/pixi_manifest/src/task.rs). Only empty words and
// words with whitespace or square brackets are quoted, so `$HOME`, `*`, `;` and `&&` in words are still interpreted by the shell.
func Quote(word string) string {
	if word == "" {
		return `""`
	}
	if !strings.ContainsAny(word, "\t\r\n []") {
		return word
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(word) + `"`
}

// TypedArgs reports whether the task declares its arguments.
func (t *Task) TypedArgs() bool { return t.Args != nil }
