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

// inherited are the keys of [workspace] that matter to packages which inherit them, and to nobody else.
var inherited = []string{"version", "authors", "description", "license", "license-file", "homepage", "repository", "documentation", "readme"}

// tables of requirements, whose entries for packages of ours are about these.
var tables = []string{"dependencies", "host-dependencies", "build-dependencies", "pypi-dependencies", "dev", "constraints"}

// inManifest adds the packages that a change of the root manifest is about; it returns why all are.
func inManifest(w *workspace.Workspace, before, after []byte, names map[string]bool) (why string) {
	file := w.Manifest.Path
	was, err := tomledit.Parse(file, before)
	if err != nil {
		return file + " could not be read before"
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
		of, known := about(w, tasks, keys)
		if !known {
			why = file + " has another " + tomledit.JoinKey(keys...)
		}
		for _, name := range of {
			names[name] = true
		}
	})
	return why
}

// about are the packages that a key of the root manifest is about; known is false where it is about all.
func about(w *workspace.Workspace, tasks taskOwners, keys []string) (names []string, known bool) {
	if w.Manifest.Path == manifest.PyprojectFile {
		if len(keys) < 3 || keys[0] != "tool" || keys[1] != "pixi" {
			return nil, false
		}
		keys = keys[2:]
	}
	if keys[0] == "package" { // of the package in the root folder, whose manifest this is
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

// compare calls found for each key whose value differs, as deep as both are tables.
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
			compare(below, one, emptied(one), found)
		default:
			compare(below, emptied(other), other, found)
		}
	}
}

// emptied is a table without keys in the place of a table, so that one that came is compared by its keys.
func emptied(v any) any {
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

// taskOwners are packages by the ends of the names of their tasks.
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

// of is the package that a task is for, by the longest end of its name: build-core-extras is of core-extras, if there is one; "" for none.
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
