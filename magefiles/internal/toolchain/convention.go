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

// FindTask returns the name of the task that does verb ("test", "qa") for everything in m: <verb>-all or <verb>. It is
// "" where there is none.
func FindTask(m *manifest.Manifest, verb string) string {
	return find(m, verb+"-all", verb+"_all", verb)
}

// TestTasks returns the tasks that test all packages: the one that does it for everything, or else each package's own. A
// package that no task tests is an error.
func TestTasks(w *workspace.Workspace) ([]string, error) {
	if task := FindTask(w.Manifest, "test"); task != "" {
		return []string{task}, nil
	}
	tasks, err := PackageTasks(w, "test")
	if err != nil {
		return nil, operr.New("add a task test-all to "+w.Manifest.Path+", which tests all packages"+near(w.Manifest, "test", nil, "test"), "no task tests all packages, and %w", err)
	}
	return tasks, nil
}

// PackageTasks returns the names of the tasks that do verb for each package, each once. The error names all packages that have none.
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
		err = operr.New("add them to [tasks], or to the tasks of a feature", "%s has no tasks %s, which would %s the packages %s",
			w.Manifest.Path, strings.Join(lacking, ", "), verb, strings.Join(packages, ", "))
	}
	return tasks, err
}

// PackageTask returns the name of the task that does verb for one package: <verb>-<folder> or <verb>-<name>. A package in the root folder,
// which has no name of its own, has <verb> alone as well.
func PackageTask(w *workspace.Workspace, verb string, p *workspace.Package) (string, error) {
	shown, wanted := taskNamesOf(verb, p)
	name := find(w.Manifest, wanted...)
	if name == "" {
		var others []string // tasks of other packages are no other names of this one's
		for _, other := range w.Packages {
			_, names := taskNamesOf(verb, other)
			others = append(others, names...)
		}
		return "", operr.New("add it to [tasks], or to the tasks of a feature"+near(w.Manifest, shown, others, append(wanted, verb)...),
			"%s has no task %s, which would %s the package %s", w.Manifest.Path, shown, verb, p.Name)
	}
	return name, nil
}

// taskNamesOf are the names of a task that does verb for a package, and the one that is proposed.
func taskNamesOf(verb string, p *workspace.Package) (shown string, names []string) {
	folder := path.Base(p.Dir)
	names = []string{verb + "-" + folder, verb + "_" + folder, verb + "-" + p.Name, verb + "_" + strings.ReplaceAll(p.Name, "-", "_")}
	if p.Dir == "." {
		names = append(names[2:], verb)
	}
	return names[0], names
}

// near names the tasks that are called almost like one of those that are wanted, and not like others, as the end of a next step: a task
// of the name that is shown leads to them. It is "" where there are none.
func near(m *manifest.Manifest, shown string, others []string, wanted ...string) string {
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
		return fmt.Sprintf("; there is a task %s, which is another name: `%s = { depends-on = [%q] }` leads to it", found[0], shown, found[0])
	}
	return fmt.Sprintf("; there are tasks %s, which are other names: `%s = { depends-on = […] }` leads to them", strings.Join(found, ", "), shown)
}

// taskNames are the names of all tasks of a manifest, sorted.
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
