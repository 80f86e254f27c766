package toolchain

import (
	"path"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// FindTask returns the name of the task that does verb ("test", "qa") for everything in m: <verb>-all or <verb>. It is
// "" where there is none.
func FindTask(m *workspace.Manifest, verb string) string {
	return find(m, verb+"-all", verb+"_all", verb)
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
