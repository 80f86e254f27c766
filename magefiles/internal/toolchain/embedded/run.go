package embedded

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/condanames"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/taskrun"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Run implements toolchain.Toolchain. It prepares the environments that the task needs, then runs the task in the shell of package taskrun.
func (e *Toolchain) Run(ctx context.Context, t toolchain.Task) error {
	m, err := e.findManifest(t.Dir)
	if err != nil {
		return err
	}
	var collected map[string]*needs
	plain, withheld := command.Withhold(e.env, e.workspace.Config.Pass...)
	stdout, stderr, flush := command.Hiding(e.env, t.Stdout, t.Stderr)
	err = taskrun.Run(ctx, taskrun.Options{
		Manifest:    m,
		Root:        t.Dir,
		Task:        t.Name,
		Args:        t.Args,
		Environment: t.Environment,
		Platform:    workspace.HostPlatform(),
		Check: func(ctx context.Context, environments []string) (err error) {
			collected, err = e.collectAll(ctx, m, environments, t.Supply)
			return err
		},
		Env: func(ctx context.Context, name string) ([]string, error) {
			dir, err := e.prepare(ctx, m, name, collected[name])
			if err != nil {
				return nil, err
			}
			return activate(plain, dir), nil
		},
		Runner: e.runner,
		Stdout: stdout,
		Stderr: stderr,
	})
	flush()
	toolchain.TellWithheld(t.Stderr, err, withheld, e.workspace.Config.Pass)
	return err
}

// collectAll determines what to install into the environments of a task. If anything cannot be installed, it returns one error that lists all
// such requirements.
func (e *Toolchain) collectAll(ctx context.Context, m *manifest.Manifest, environments []string, s *toolchain.Supply) (map[string]*needs, error) {
	var all []refusal
	collected := map[string]*needs{}
	for _, name := range environments {
		r, err := m.Resolve(name, workspace.HostPlatform())
		if err != nil {
			return nil, err
		}
		n, err := e.collect(ctx, m, r, s)
		if err != nil {
			return nil, err
		}
		collected[name] = n
		all = append(all, n.refusals...)
	}
	return collected, e.refuse(all)
}

// Foresee returns the error that installing the workspace's packages would return. It reads only the packages' manifests.
func (e *Toolchain) Foresee(packages []*workspace.Package) error {
	n := &needs{}
	for _, p := range packages {
		for _, d := range p.Dependencies(manifest.RoleRun) {
			if condanames.FindOwn(e.workspace, d) == nil && !strings.EqualFold(d.Name, "python") && d.Condition == "" {
				e.addForeign(n, d, p.Project)
			}
		}
	}
	return e.refuse(n.refusals)
}

// findManifest returns the manifest in dir: the root manifest or a downstream's.
func (e *Toolchain) findManifest(dir string) (*manifest.Manifest, error) {
	all := e.workspace.Manifests()
	i := slices.IndexFunc(all, func(m *manifest.Manifest) bool {
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

// activate returns the environment variables for a virtual environment. It removes those of any virtual environment that is already active.
func activate(env []string, dir string) []string {
	bin := filepath.Join(dir, "bin")
	path, _ := command.Getenv(env, "PATH")
	env = command.Unset(env, "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
	return command.Setenv(env, "PATH="+bin+string(os.PathListSeparator)+path, "CONDA_PREFIX="+dir)
}
