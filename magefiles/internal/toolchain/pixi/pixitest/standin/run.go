package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// task is the part of a task that the stand-in supports. It runs tasks in sh, which is sufficient for tests.
type task struct {
	Name      string `json:"name"`
	Cmd       string `json:"cmd"`
	DependsOn []struct {
		Task string `json:"task_name"`
	} `json:"depends_on"`
}

type feature struct {
	Name  string `json:"name"`
	Tasks []task `json:"tasks"`
}

type environment struct {
	Environment string    `json:"environment"`
	Tasks       []string  `json:"tasks"`
	Features    []feature `json:"features"`
}

// environments returns the environments with their tasks.
func (s *standin) environments() []environment {
	t, above := s.tables(s.root())
	at := func(keys ...string) []string { return append(slices.Clone(above), keys...) }
	standard := feature{Name: "default", Tasks: tasksOf(t, at("tasks"))}
	all := []environment{{Environment: "default", Tasks: []string{}, Features: []feature{standard}}}
	for _, name := range t.under(at("environments")...) {
		e := environment{Environment: name, Tasks: []string{}}
		list := t.get(at("environments", name)...)
		if m, ok := list.(map[string]any); ok {
			list = m["features"]
		}
		features, _ := list.([]any)
		for _, f := range features {
			f := f.(string)
			e.Features = append(e.Features, feature{Name: f, Tasks: tasksOf(t, at("feature", f, "tasks"))})
		}
		e.Features = append(e.Features, standard)
		if name == "default" {
			all[0] = e
			continue
		}
		all = append(all, e)
	}
	return all
}

func tasksOf(t table, keys []string) []task {
	tasks := []task{}
	for _, name := range t.under(keys...) {
		tk := task{Name: name}
		switch v := t.get(append(slices.Clone(keys), name)...).(type) {
		case string:
			tk.Cmd = v
		case map[string]any:
			tk.Cmd, _ = v["cmd"].(string)
			on, _ := v["depends-on"].([]any)
			for _, d := range on {
				name, _ := d.(string)
				tk.DependsOn = append(tk.DependsOn, struct {
					Task string `json:"task_name"`
				}{name})
			}
		}
		tasks = append(tasks, tk)
	}
	return tasks
}

func (s *standin) taskList() int {
	b, err := json.MarshalIndent(s.environments(), "", "  ")
	check(err)
	fmt.Println(string(b))
	return 0
}

// run imitates `pixi run [--environment=ENV] TASK [ARGS]`.
func (s *standin) run(args []string) int {
	name := ""
	if said, ok := strings.CutPrefix(args[0], "--environment="); ok && len(args) > 1 {
		name, args = said, args[1:]
	}
	for _, e := range s.environments() {
		if e.Environment != name && name != "" || !e.has(args[0]) {
			continue
		}
		if s.StaleLock {
			return s.say("locked-stale")
		}
		return s.task(e, args[0], args[1:])
	}
	if name != "" && !slices.ContainsFunc(s.environments(), func(e environment) bool { return e.Environment == name }) {
		return s.say("run-unknown-env", "'prod'", "'"+name+"'")
	}
	return s.say("run-unknown", "nothing-like-it", args[0])
}

func (e environment) has(name string) bool { return e.find(name) != nil }

func (e environment) find(name string) *task {
	for _, f := range e.Features {
		for i := range f.Tasks {
			if f.Tasks[i].Name == name {
				return &f.Tasks[i]
			}
		}
	}
	return nil
}

// task runs a task after its dependencies, and returns the first nonzero status.
func (s *standin) task(e environment, name string, args []string) int {
	t := e.find(name)
	for _, d := range t.DependsOn {
		if code := s.task(e, d.Task, nil); code != 0 {
			return code
		}
	}
	if t.Cmd == "" {
		return 0
	}
	script := t.Cmd
	for _, a := range args {
		script += " '" + a + "'"
	}
	fmt.Fprintf(os.Stderr, "✨ Pixi task (%s in %s): %s\n", name, e.Environment, strings.TrimSpace(t.Cmd))
	err := command.NewSystem(os.Environ(), nil).Run(context.Background(), command.Cmd{
		Name:   "sh",
		Args:   []string{"-c", script},
		Dir:    s.root(),
		Env:    os.Environ(),
		Stdout: os.Stdout,
		Stderr: os.Stderr,
	})
	var exit *command.ExitError
	if errors.As(err, &exit) {
		if exit.Signal != 0 { // pixi exits with the same signal as its child
			check(syscall.Kill(os.Getpid(), exit.Signal))
			select {}
		}
		return exit.Code
	}
	check(err)
	return 0
}
