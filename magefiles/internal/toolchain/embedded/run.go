package embedded

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/taskrun"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Run implements toolchain.Toolchain: the task is run by the small shell of package taskrun, in the environments that
// it needs, which are made first.
func (e *Toolchain) Run(ctx context.Context, t toolchain.Task) error {
	m, err := e.manifest(t.Dir)
	if err != nil {
		return err
	}
	return taskrun.Run(ctx, taskrun.Options{
		Manifest: m, Root: t.Dir, Task: t.Name, Args: t.Args, Environment: t.Environment, Platform: workspace.HostPlatform(),
		Env: func(ctx context.Context, name string) ([]string, error) {
			r, err := m.Resolve(name, workspace.HostPlatform())
			if err != nil {
				return nil, err
			}
			dir, err := e.environment(ctx, m, r, t.Supply)
			if err != nil {
				return nil, err
			}
			return activated(e.env, dir), nil
		},
		Runner: e.runner, Stdout: t.Stdout, Stderr: t.Stderr,
	})
}

// manifest returns the manifest whose folder is dir: the workspace's own or that of a downstream.
func (e *Toolchain) manifest(dir string) (*workspace.Manifest, error) {
	all := []*workspace.Manifest{e.workspace.Manifest}
	for _, d := range e.workspace.Downstreams {
		all = append(all, d.Manifest)
	}
	i := slices.IndexFunc(all, func(m *workspace.Manifest) bool {
		return filepath.Join(e.workspace.Root, filepath.FromSlash(m.Dir)) == filepath.Clean(dir)
	})
	if i >= 0 {
		return all[i], nil
	}
	w, err := workspace.Load(dir)
	if err != nil {
		return nil, err
	}
	return w.Manifest, nil
}

// activated is the process environment of a virtual environment, told apart from any other that we were started in.
func activated(env []string, dir string) []string {
	bin := filepath.Join(dir, "bin")
	path, _ := command.Getenv(env, "PATH")
	env = command.Unset(env, "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
	return command.Setenv(env, "PATH="+bin+string(os.PathListSeparator)+path, "CONDA_PREFIX="+dir)
}
