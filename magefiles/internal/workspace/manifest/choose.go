package manifest

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Task returns the task that `pixi run` would choose, and its environment: the named environment, or the task's default-environment, or
// the default environment if it has the task and no other environment defines the task differently, or the only environment that has
// the task (SearchEnvironments in crates/pixi_task/src/task_environment.rs). Unknown and ambiguous names are errors with exit status 2.
func (m *Manifest) Task(name, environment, platform string) (*Task, *Environment, error) {
	if environment != "" {
		e, err := m.Environment(environment)
		if err != nil {
			return nil, nil, err
		}
		if t := m.taskOf(e, name, platform); t != nil {
			return t, e, nil
		}
		return nil, nil, m.noTask(name, []*Environment{e}, platform)
	}
	if t, e := m.defaultTask(name, platform); t != nil {
		return t, e, nil
	}
	var tasks []*Task
	var envs []*Environment
	for _, e := range m.Environments {
		if t := m.taskOf(e, name, platform); t != nil {
			tasks, envs = append(tasks, t), append(envs, e)
		}
	}
	for i, t := range tasks {
		if len(tasks) == 1 || t.Environment == envs[i].Name {
			return t, envs[i], nil
		}
	}
	if len(tasks) == 0 {
		return nil, nil, m.noTask(name, m.Environments, platform)
	}
	var names []string
	for _, e := range envs {
		names = append(names, e.Name)
	}
	return nil, nil, operr.NewUsage("name the environment, or give the task a `default-environment`",
		"task %q of %s is in more than one environment: %s", name, m.Path, strings.Join(names, ", "))
}

// defaultTask returns the task in the default environment, or in the default-environment that this task sets. It returns nil if another
// environment has a different task with the same name.
func (m *Manifest) defaultTask(name, platform string) (*Task, *Environment) {
	def := m.Environments[0]
	t := m.taskOf(def, name, platform)
	if t == nil {
		return nil, nil
	}
	for _, e := range m.Environments {
		if e.Name == t.Environment && m.runsOn(e, platform) {
			if own := m.taskOf(e, name, platform); own != nil {
				return own, e
			}
		}
	}
	for _, e := range m.Environments[1:] {
		if own := m.taskOf(e, name, platform); own != nil && own != t && m.runsOn(e, platform) {
			return nil, nil
		}
	}
	return t, def
}

func (m *Manifest) runsOn(e *Environment, platform string) bool {
	return platform == "" || slices.Contains(m.platformsOf(e), platform)
}

func (m *Manifest) taskOf(e *Environment, name, platform string) *Task {
	for _, t := range m.tasksOf(e, platform) {
		if t.Name == name {
			return t
		}
	}
	return nil
}

func (m *Manifest) noTask(name string, envs []*Environment, platform string) error {
	var names []string
	for _, e := range envs {
		for _, t := range m.tasksOf(e, platform) {
			if !t.Hidden() && !slices.Contains(names, t.Name) {
				names = append(names, t.Name)
			}
		}
	}
	where := m.Path
	if len(envs) == 1 {
		where = "environment " + envs[0].Name + " of " + m.Path
	}
	return operr.NewUsage(Suggest(name, names)+"name an existing task, or add this task to the manifest", "no task named %q in %s; %s", name, where, ListNames(names))
}
