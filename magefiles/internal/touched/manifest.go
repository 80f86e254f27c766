package touched

import (
	"reflect"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/pixilock"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// inherited lists keys of [workspace] that affect only packages that inherit them.
var inherited = []string{"version", "authors", "description", "license", "license-file", "homepage", "repository", "documentation", "readme"}

// tables lists the requirement tables. An entry for a workspace package affects only that package.
var tables = []string{"dependencies", "host-dependencies", "build-dependencies", "pypi-dependencies", "dev", "constraints"}

// addFromManifest adds the packages that are affected by a change to the root manifest, or returns why all packages are affected.
func addFromManifest(w *workspace.Workspace, before, after []byte, names map[string]bool) (why string) {
	file := w.Manifest.Path
	was, err := tomledit.Parse(file, before)
	if err != nil {
		return file + " was not readable in the earlier commit"
	}
	is, err := tomledit.Parse(file, after)
	if err != nil {
		return file + " cannot be read"
	}
	tasks := newTaskOwners(w)
	compare(nil, was.Root.Plain(), is.Root.Plain(), func(keys []string) {
		if why != "" {
			return
		}
		of, known := packagesOfKey(w, tasks, keys)
		if !known {
			why = file + " differs in " + tomledit.JoinKey(keys...)
		}
		for _, name := range of {
			names[name] = true
		}
	})
	return why
}

// packagesOfKey returns the packages that a key of the root manifest affects. `known` is false if the key affects all packages.
func packagesOfKey(w *workspace.Workspace, tasks taskOwners, keys []string) (names []string, known bool) {
	if w.Manifest.Path == manifest.PyprojectFile {
		if len(keys) < 3 || keys[0] != "tool" || keys[1] != "pixi" {
			return nil, false
		}
		keys = keys[2:]
	}
	if keys[0] == "package" { // this manifest also defines the package in the root folder
		return nil, true
	}
	if len(keys) > 1 && (keys[0] == "workspace" || keys[0] == "project") {
		key := keys[1]
		switch {
		case key == "dependencies" && len(keys) > 2:
			key = "dependencies." + manifest.CondaName(keys[2])
		case !slices.Contains(inherited, key):
			return nil, false
		}
		for _, p := range w.Packages {
			if slices.Contains(p.Inherited(), key) {
				names = append(names, p.Name)
			}
		}
		return names, true
	}
	for len(keys) > 2 && (keys[0] == "feature" || keys[0] == "target") {
		keys = keys[2:]
	}
	if len(keys) < 2 {
		return nil, false
	}
	switch {
	case keys[0] == "tasks":
		name := tasks.of(keys[1])
		return []string{name}, name != ""
	case slices.Contains(tables, keys[0]):
		for _, p := range w.Packages {
			if keyOf := pixilock.Fold(keys[1]); keyOf == pixilock.Fold(p.Name) || p.PyPIName != "" && keyOf == pixilock.Fold(p.PyPIName) {
				return []string{p.Name}, true
			}
		}
	}
	return nil, false
}

// compare calls `found` for each key whose value differs. It recurses if both values are tables.
func compare(keys []string, before, after any, found func(keys []string)) {
	was, okWas := before.(map[string]any)
	is, okIs := after.(map[string]any)
	if !okWas || !okIs {
		if !reflect.DeepEqual(before, after) {
			found(keys)
		}
		return
	}
	for _, key := range tomlKeys(was, is) {
		one, had := was[key]
		other, has := is[key]
		below := append(slices.Clone(keys), key)
		switch {
		case had && has:
			compare(below, one, other, found)
		case had:
			compare(below, one, emptyValue(one), found)
		default:
			compare(below, emptyValue(other), other, found)
		}
	}
}

// emptyValue returns an empty table if v is a table, so that an added or removed table is compared key by key.
func emptyValue(v any) any {
	if t, ok := v.(map[string]any); ok && len(t) > 0 {
		return map[string]any{}
	}
	return nil
}

func tomlKeys(tables ...map[string]any) (keys []string) {
	for _, t := range tables {
		for key := range t {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// taskOwners maps task name suffixes to packages.
type taskOwners map[string]string

func newTaskOwners(w *workspace.Workspace) taskOwners {
	o := taskOwners{}
	for _, p := range w.Packages {
		folder := p.Dir[strings.LastIndexByte(p.Dir, '/')+1:]
		for _, end := range []string{p.Name, folder} {
			if end != "." {
				o[pixilock.Fold(end)] = p.Name
			}
		}
	}
	return o
}

// `of` returns the package for which a task is meant, according to the longest matching suffix of its name, or "". build-core-extras belongs to
// core-extras if that package exists.
func (o taskOwners) of(task string) string {
	task = pixilock.Fold(task)
	for i := range len(task) {
		if task[i] == '-' && i > 0 {
			if name := o[task[i+1:]]; name != "" {
				return name
			}
		}
	}
	return ""
}
