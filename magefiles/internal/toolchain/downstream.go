package toolchain

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// DownstreamWith returns the downstream called `only`. If `only` is "", it returns the single downstream that has the task.
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
		return nil, operr.NewUsage("pass "+strings.Join(names, " or ")+", or give one environment of "+d.Manifest.Path+" this task", "%w", err)
	case len(having) == 1:
		return having[0], nil
	case len(having) == 0:
		return nil, operr.New("add this task to the manifest of a downstream", "%s has no downstream with a task %s", w.Manifest.Name, task)
	}
	return nil, operr.NewUsage("pass "+strings.Join(names, " or "), "%d downstreams have a task %s", len(having), task)
}

// hasTask reports whether the downstream has the task in any environment.
func hasTask(d *workspace.Downstream, name string) bool {
	_, _, err := d.Manifest.Task(name, "", workspace.HostPlatform())
	return err == nil
}

// RunTaskOf runs a task of a downstream. `supply` determines where the downstream gets the workspace's packages.
func RunTaskOf(ctx context.Context, tools Toolchain, d *workspace.Downstream, supply Supply, t Task) error {
	t.Dir, t.Supply = filepath.Join(supply.Workspace.Root, filepath.FromSlash(d.Dir)), &supply
	err := tools.Run(ctx, t)
	if ctx.Err() != nil {
		return err
	}
	return OfChild(err, "read the output of the task above", "task "+t.Name+" of "+d.Name())
}
