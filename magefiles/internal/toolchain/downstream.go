package toolchain

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// DownstreamWith returns the downstream that is meant: the one named, or the only one that has the task.
func DownstreamWith(w *workspace.Workspace, task, only string) (*workspace.Downstream, error) {
	having := slices.DeleteFunc(slices.Clone(w.Downstreams), func(d *workspace.Downstream) bool { return !hasTask(d, task) })
	var names []string
	for _, d := range having {
		name := d.Name()
		if w.Label(d) != name {
			name = d.Dir
		}
		names = append(names, "-only="+name)
	}
	switch {
	case only != "":
		d, err := w.Downstream(only)
		if err != nil || len(having) == 0 || slices.Contains(having, d) {
			return d, err
		}
		_, _, err = d.Manifest.Task(task, "", workspace.HostPlatform())
		return nil, operr.NewUsage("say "+strings.Join(names, " or ")+", or give "+d.Manifest.Path+" such a task in one environment", "%w", err)
	case len(having) == 1:
		return having[0], nil
	case len(having) == 0:
		return nil, operr.New("add it to the manifest of one", "%s has no downstream with a task %s", w.Manifest.Name, task)
	}
	return nil, operr.NewUsage("say "+strings.Join(names, " or "), "%d downstreams have a task %s", len(having), task)
}

// hasTask reports whether a manifest has the task in any of its environments.
func hasTask(d *workspace.Downstream, name string) bool {
	_, _, err := d.Manifest.Task(name, "", workspace.HostPlatform())
	return err == nil
}
