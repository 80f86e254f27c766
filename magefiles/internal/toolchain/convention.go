package toolchain

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// FindTask returns the name of the task that runs `verb` ("test", "qa") for all packages of m: <verb>-all or <verb>. It returns "" if there is
// none.
func FindTask(m *manifest.Manifest, verb string) string {
	return find(m, verb+"-all", verb+"_all", verb)
}

// TestTasks returns the tasks that test all packages: a single task that tests everything, or one task per package. A package without a test task
// is an error.
func TestTasks(w *workspace.Workspace) ([]string, error) {
	if task := FindTask(w.Manifest, "test"); task != "" {
		return []string{task}, nil
	}
	tasks, err := PackageTasks(w, "test")
	if err != nil {
		return nil, operr.New("add to "+w.Manifest.Path+" a task test-all that tests all packages"+suggestTasks(w.Manifest, "test", nil, "test"), "no task tests all packages, and %w", err)
	}
	return tasks, nil
}

// PackageTasks returns the names of the tasks that run `verb` for each package, without duplicates. The error lists all packages without such a
// task.
func PackageTasks(w *workspace.Workspace, verb string) (tasks []string, err error) {
	var lacking, packages []string
	for _, p := range w.Order() {
		task, failed := PackageTask(w, verb, p)
		switch {
		case failed != nil:
			shown, _ := taskNamesOf(verb, p)
			lacking, packages, err = append(lacking, shown), append(packages, p.Name), failed
		case !slices.Contains(tasks, task):
			tasks = append(tasks, task)
		}
	}
	if len(lacking) > 1 {
		err = operr.New("add these tasks to [tasks], or to the tasks of a feature", "%s lacks these tasks: %s (to %s the packages %s)",
			w.Manifest.Path, strings.Join(lacking, ", "), verb, strings.Join(packages, ", "))
	}
	return tasks, err
}

// PackageTask returns the name of the task that runs `verb` for one package: <verb>-<folder> or <verb>-<name>. For a package in the root folder,
// plain <verb> is also accepted.
func PackageTask(w *workspace.Workspace, verb string, p *workspace.Package) (string, error) {
	shown, wanted := taskNamesOf(verb, p)
	name := find(w.Manifest, wanted...)
	if name == "" {
		var others []string // tasks of other packages, which are not suggested for this one
		for _, other := range w.Packages {
			_, names := taskNamesOf(verb, other)
			others = append(others, names...)
		}
		return "", operr.New("add this task to [tasks], or to the tasks of a feature"+suggestTasks(w.Manifest, shown, others, append(wanted, verb)...),
			"%s has no task %s to %s the package %s", w.Manifest.Path, shown, verb, p.Name)
	}
	return name, nil
}

// taskNamesOf returns the accepted names of the task that runs `verb` for a package. `shown` is the name that errors suggest.
func taskNamesOf(verb string, p *workspace.Package) (shown string, names []string) {
	folder := path.Base(p.Dir)
	names = []string{verb + "-" + folder, verb + "_" + folder, verb + "-" + p.Name, verb + "_" + strings.ReplaceAll(p.Name, "-", "_")}
	if p.Dir == "." {
		names = append(names[2:], verb)
	}
	return names[0], names
}

// `suggestTasks` formats the end of a next step: define a task with the name `shown` that depends on similarly named tasks. It ignores the tasks in
// `others`, and returns "" if no name is similar.
func suggestTasks(m *manifest.Manifest, shown string, others []string, wanted ...string) string {
	var found []string
	for _, name := range taskNames(m) {
		if !slices.Contains(wanted, name) && !slices.Contains(others, name) && slices.ContainsFunc(wanted, func(w string) bool {
			return name == w+"s" || name == "py"+w || name == "unit"+w || name == "run-"+w || manifest.Nearest(name, []string{w}) != ""
		}) && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("; if the task %s does this, add `%s = { depends-on = [%q] }`", found[0], shown, found[0])
	}
	return fmt.Sprintf("; if the tasks %s do this, add `%s = { depends-on = […] }`", strings.Join(found, ", "), shown)
}

// taskNames returns the names of all tasks in a manifest, sorted.
func taskNames(m *manifest.Manifest) (names []string) {
	for _, f := range m.Features {
		for _, t := range f.Targets {
			for _, task := range t.Tasks {
				names = append(names, task.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func find(m *manifest.Manifest, names ...string) string {
	known := taskNames(m)
	for _, n := range names {
		if slices.Contains(known, n) {
			return n
		}
	}
	return ""
}
