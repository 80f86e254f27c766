package manifest

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Environment returns the named environment. If there is none, the error has exit status 2 and lists the existing environments.
func (m *Manifest) Environment(name string) (*Environment, error) {
	var names []string
	for _, e := range m.Environments {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return nil, operr.NewUsage(Suggest(name, names)+"name one of these environments", "no environment named %q in %s; %s", name, m.Path, ListNames(names))
}

// Resolve merges the features of an environment for a platform. If platform is "", platform-specific tables are ignored. The rules are
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

// channelsOf returns the channels of all features of an environment, sorted by priority. A feature without channels uses the
// workspace's channels.
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

// platformsOf returns the platforms of the workspace that all features of an environment support.
func (m *Manifest) platformsOf(e *Environment) []string {
	return slices.DeleteFunc(slices.Clone(m.Platforms), func(p string) bool {
		return slices.ContainsFunc(m.featuresOf(e), func(f *Feature) bool { return f.Platforms != nil && !slices.Contains(f.Platforms, p) })
	})
}

// matching returns a feature's targets that apply to a platform, the general target first. Later targets override earlier ones.
func (f *Feature) matching(platform string) []Target {
	var out []Target
	for _, t := range f.Targets {
		if t.Selector == "" || platform != "" && selectorMatches(t.Selector, platform) {
			out = append(out, t)
		}
	}
	return out
}

// selectorMatches reports whether a target selector applies to a platform (TargetSelector in
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

// addDependencies adds the tables of one feature. Within a feature, later targets override earlier ones, and build- and
// host-dependencies override dependencies.
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
			// A target may require the same PyPI package twice, in two [project] requirement strings.
			if i, ok := at[key]; ok && (d.Kind == Conda || (*lists[list])[i].Target != d.Target) {
				(*lists[list])[i] = d
				continue
			}
			at[key] = len(*lists[list])
			*lists[list] = append(*lists[list], d)
		}
	}
}

// listOf returns the index of the list to which an entry belongs: Conda, PyPI, Constraints or Dev.
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

// addActivation adds the activation of one feature: the scripts of its most specific target, and any variables not already set by an
// earlier feature or a more specific target.
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

// tasksOf returns the tasks of an environment, sorted by name. Earlier features and more specific targets take precedence.
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
