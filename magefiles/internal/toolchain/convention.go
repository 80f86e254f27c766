package toolchain

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// FindTask returns the name of the task that does verb ("test", "qa") for everything in m: <verb>-all or <verb>. It is
// "" where there is none.
func FindTask(m *workspace.Manifest, verb string) string {
	return find(m, verb+"-all", verb+"_all", verb)
}

// TestTasks returns the tasks that test all packages: the one that does it for everything, or else each package's own. A
// package that no task tests is an error.
func TestTasks(w *workspace.Workspace) ([]string, error) {
	if task := FindTask(w.Manifest, "test"); task != "" {
		return []string{task}, nil
	}
	var tasks []string
	for _, p := range w.Order() {
		task, err := PackageTask(w.Manifest, "test", p)
		if err != nil {
			return nil, operr.New("add a task test-all to "+w.Manifest.Path+", which tests all packages"+near(w.Manifest, "test"), "no task tests all packages, and %w", err)
		}
		if !slices.Contains(tasks, task) {
			tasks = append(tasks, task)
		}
	}
	return tasks, nil
}

// PackageTask returns the name of the task that does verb for one package: <verb>-<folder> or <verb>-<name>. A package in the root folder,
// which has no name of its own, has <verb> alone as well.
func PackageTask(m *workspace.Manifest, verb string, p *workspace.Package) (string, error) {
	folder := path.Base(p.Dir)
	wanted := []string{verb + "-" + folder, verb + "_" + folder, verb + "-" + p.Name, verb + "_" + strings.ReplaceAll(p.Name, "-", "_")}
	if p.Dir == "." {
		folder, wanted = p.Name, append(wanted[2:], verb)
	}
	name := find(m, wanted...)
	if name == "" {
		return "", operr.New("add it to [tasks], or to the tasks of a feature"+near(m, append(wanted, verb)...),
			"%s has no task %s-%s, which would %s the package %s", m.Path, verb, folder, verb, p.Name)
	}
	return name, nil
}

// near names the tasks that are called almost like one of those that are wanted, as the end of a next step; "" where there are none.
func near(m *workspace.Manifest, wanted ...string) string {
	var found []string
	for _, name := range taskNames(m) {
		if !slices.Contains(wanted, name) && slices.ContainsFunc(wanted, func(w string) bool {
			return name == w+"s" || name == "py"+w || name == "unit"+w || name == "run-"+w || workspace.Nearest(name, []string{w}) != ""
		}) && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("; there is a task %s, which is another name: `%s = { depends-on = [%q] }` leads to it", found[0], wanted[len(wanted)-1], found[0])
	}
	return fmt.Sprintf("; there are tasks %s, which are other names: `%s = { depends-on = […] }` leads to them", strings.Join(found, ", "), wanted[len(wanted)-1])
}

// taskNames are the names of all tasks of a manifest, sorted.
func taskNames(m *workspace.Manifest) (names []string) {
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

func find(m *workspace.Manifest, names ...string) string {
	known := taskNames(m)
	for _, n := range names {
		if slices.Contains(known, n) {
			return n
		}
	}
	return ""
}
