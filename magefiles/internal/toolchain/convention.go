package toolchain

import (
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
			return nil, operr.New("add a task test-all to "+w.Manifest.Path, "no task tests all packages, and %w", err)
		}
		if !slices.Contains(tasks, task) {
			tasks = append(tasks, task)
		}
	}
	return tasks, nil
}

// PackageTask returns the name of the task that does verb for one package: <verb>-<folder> or <verb>-<name>.
func PackageTask(m *workspace.Manifest, verb string, p *workspace.Package) (string, error) {
	folder := path.Base(p.Dir)
	name := find(m, verb+"-"+folder, verb+"_"+folder, verb+"-"+p.Name, verb+"_"+strings.ReplaceAll(p.Name, "-", "_"))
	if name == "" {
		return "", operr.New("add it to [tasks], or to the tasks of a feature",
			"%s has no task %s-%s, which would %s the package %s", m.Path, verb, folder, verb, p.Name)
	}
	return name, nil
}

func find(m *workspace.Manifest, names ...string) string {
	known := map[string]bool{}
	for _, f := range m.Features {
		for _, t := range f.Targets {
			for _, task := range t.Tasks {
				known[task.Name] = true
			}
		}
	}
	for _, n := range names {
		if known[n] {
			return n
		}
	}
	return ""
}
