package manifest

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Environment returns an environment by name, or an error with exit status 2 that names the known ones.
func (m *Manifest) Environment(name string) (*Environment, error) {
	var names []string
	for _, e := range m.Environments {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return nil, operr.NewUsage(Suggest(name, names)+"name one of them", "no environment named %q in %s; %s", name, m.Path, ListNames(names))
}

// Resolve puts together what an environment is made of on a platform; "" takes no platform-specific table. The rules are
// those of FeaturesExt in crates/pixi_manifest/src/features_ext.rs.
func (m *Manifest) Resolve(environment, platform string) (*Resolved, error) {
	e, err := m.Environment(environment)
	if err != nil {
		return nil, err
	}
	r := &Resolved{Environment: e, Platform: platform, Platforms: m.platformsOf(e), Channels: m.channelsOf(e), Tasks: m.tasksOf(e, platform)}
	for _, f := range m.featuresOf(e) {
		if platform != "" && f.Platforms != nil && !slices.Contains(f.Platforms, platform) {
			continue
		}
		targets := f.matching(platform)
		r.addDependencies(targets)
		r.addActivation(targets)
	}
	return r, nil
}

func (m *Manifest) featuresOf(e *Environment) []*Feature {
	var out []*Feature
	for _, name := range e.Features {
		out = append(out, m.feature(name))
	}
	return out
}

// channelsOf returns the channels of all features of an environment, by priority; those of a feature that names none are
// the workspace's.
func (m *Manifest) channelsOf(e *Environment) (names []string) {
	type channel struct {
		name     string
		priority int64
	}
	var all []channel
	for _, f := range m.featuresOf(e) {
		channels, priorities := f.Channels, f.priorities
		if channels == nil {
			channels, priorities = m.Channels, m.priorities
		}
		for i, name := range channels {
			all = append(all, channel{name, priorities[i]})
		}
	}
	slices.SortStableFunc(all, func(a, b channel) int { return cmp.Compare(b.priority, a.priority) })
	for _, c := range all {
		if !slices.Contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

// platformsOf returns the workspace's platforms that all features of an environment support.
func (m *Manifest) platformsOf(e *Environment) []string {
	return slices.DeleteFunc(slices.Clone(m.Platforms), func(p string) bool {
		return slices.ContainsFunc(m.featuresOf(e), func(f *Feature) bool { return f.Platforms != nil && !slices.Contains(f.Platforms, p) })
	})
}

// matching returns a feature's targets that hold on a platform, the general one first and the last one winning.
func (f *Feature) matching(platform string) []Target {
	var out []Target
	for _, t := range f.Targets {
		if t.Selector == "" || platform != "" && selectorMatches(t.Selector, platform) {
			out = append(out, t)
		}
	}
	return out
}

// selectorMatches reports whether a target selector holds on a platform (TargetSelector in
// crates/pixi_manifest/src/target.rs).
func selectorMatches(selector, platform string) bool {
	family, _, _ := strings.Cut(platform, "-")
	switch selector {
	case "linux", "win":
		return family == selector
	case "osx", "macos":
		return family == "osx"
	case "unix":
		return family == "linux" || family == "osx" || family == "emscripten"
	}
	matched, err := path.Match(selector, platform)
	return err == nil && matched
}

// addDependencies adds one feature's tables. Within a feature, an entry of a later target takes the place of an earlier
// one, and build- and host-dependencies that of dependencies.
func (r *Resolved) addDependencies(targets []Target) {
	lists := []*[]Dependency{&r.Conda, &r.PyPI, &r.Constraints, &r.Dev}
	at := map[string]int{}
	for _, t := range targets {
		deps := slices.Clone(t.Dependencies)
		slices.SortStableFunc(deps, func(a, b Dependency) int { return cmp.Compare(tableRank(a.Table), tableRank(b.Table)) })
		for _, d := range deps {
			list, key := listOf(d), CondaName(d.Name)
			if d.Kind == PyPI {
				key = PyPIName(d.Name)
			}
			key = string(rune('0'+list)) + key
			// One target may ask for a PyPI package twice, once for each [project] requirement string.
			if i, ok := at[key]; ok && (d.Kind == Conda || (*lists[list])[i].Target != d.Target) {
				(*lists[list])[i] = d
				continue
			}
			at[key] = len(*lists[list])
			*lists[list] = append(*lists[list], d)
		}
	}
}

// listOf tells which of Conda, PyPI, Constraints and Dev an entry belongs to.
func listOf(d Dependency) int {
	switch {
	case d.Kind == PyPI:
		return 1
	case d.Role == RoleConstraint:
		return 2
	case d.Role == RoleDev:
		return 3
	}
	return 0
}

func tableRank(table string) int {
	switch {
	case strings.HasSuffix(table, "build-dependencies"):
		return 2
	case strings.HasSuffix(table, "host-dependencies"):
		return 1
	}
	return 0
}

// addActivation adds one feature's activation: the scripts of its most specific target, and variables that no earlier
// feature, and no more specific target, sets.
func (r *Resolved) addActivation(targets []Target) {
	scripts := false
	for _, t := range slices.Backward(targets) {
		if !scripts && t.Activation.Scripts != nil {
			r.Activation.Scripts, scripts = append(r.Activation.Scripts, t.Activation.Scripts...), true
		}
		for _, kv := range t.Activation.Env {
			if !slices.ContainsFunc(r.Activation.Env, func(have KeyValue) bool { return have.Key == kv.Key }) {
				r.Activation.Env = append(r.Activation.Env, kv)
			}
		}
	}
}

// tasksOf returns the tasks of an environment by name: an earlier feature's and a more specific target's win.
func (m *Manifest) tasksOf(e *Environment, platform string) []*Task {
	byName := map[string]*Task{}
	for _, f := range slices.Backward(m.featuresOf(e)) {
		for _, t := range f.matching(platform) {
			for _, task := range t.Tasks {
				byName[task.Name] = task
			}
		}
	}
	tasks := make([]*Task, 0, len(byName))
	for _, t := range byName {
		tasks = append(tasks, t)
	}
	slices.SortFunc(tasks, func(a, b *Task) int { return cmp.Compare(a.Name, b.Name) })
	return tasks
}
