package embedded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// packageAsks are what a package's pyproject.toml and its tables of some roles ask of the interpreter, on this machine.
func packageAsks(known []ask, p *workspace.Package, roles ...workspace.Role) ([]ask, error) {
	var entries []workspace.Dependency
	if p.Project != nil {
		entries = append(entries, p.Project.Python...)
	}
	for _, d := range p.Deps {
		if isPython(d) && slices.Contains(roles, d.Role) && toolchain.Holds(d.Condition, workspace.HostPlatform()) {
			entries = append(entries, d)
		}
	}
	return readAsks(known, entries...)
}

func isPython(d workspace.Dependency) bool {
	return d.Kind == workspace.Conda && workspace.CondaName(d.Name) == "python"
}

// buildAsks are those of a package's build.
func buildAsks(p *workspace.Package) ([]ask, error) {
	return packageAsks(nil, p, workspace.RoleBuild, workspace.RoleHost, workspace.RoleRun, workspace.RoleConstraint)
}

// runAsks are those of an environment that packages are installed into. What they are built with does not matter there.
func runAsks(known []ask, packages []*workspace.Package) (asks []ask, err error) {
	asks = known
	for _, p := range packages {
		if asks, err = packageAsks(asks, p, workspace.RoleRun, workspace.RoleConstraint); err != nil {
			return nil, err
		}
	}
	return asks, nil
}

// ownAsks are what the tables of an environment, and of a downstream the pyproject.toml, ask for.
func (e *Toolchain) ownAsks(m *workspace.Manifest, r *workspace.Resolved) ([]ask, error) {
	var entries []workspace.Dependency
	for _, d := range slices.Concat(r.Conda, r.Constraints) {
		if isPython(d) {
			entries = append(entries, d)
		}
	}
	for _, d := range e.workspace.Downstreams {
		if d.Manifest == m && d.Project != nil {
			entries = append(entries, d.Project.Python...)
		}
	}
	return readAsks(nil, entries...)
}

// environmentAsks are all of an environment: its own, and those of everything of the workspace that goes into it.
func (e *Toolchain) environmentAsks(m *workspace.Manifest, n *needs) ([]ask, error) {
	asks, err := e.ownAsks(m, n.of)
	if err != nil {
		return nil, err
	}
	if asks, err = runAsks(asks, n.packages); err != nil {
		return nil, err
	}
	for _, dir := range slices.Concat(n.plain, n.editable) {
		entries, err := e.folderAsks(dir)
		if err != nil {
			return nil, err
		}
		if asks, err = readAsks(asks, entries...); err != nil {
			return nil, err
		}
	}
	archives, closeAll, err := openAll(n.archives)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	return archiveAsks(asks, archives)
}

// folderAsks are what the pyproject.toml of a folder says; none where it has none.
func (e *Toolchain) folderAsks(dir string) ([]workspace.Dependency, error) {
	file := filepath.Join(dir, workspace.PyprojectFile)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	doc, err := tomledit.Parse(filepath.ToSlash(relative(e.workspace, file)), data)
	if err != nil {
		return nil, err
	}
	return workspace.PythonSpecs(doc), nil
}

// archiveAsks are what artifacts depend on.
func archiveAsks(known []ask, archives []*condapkg.Archive) ([]ask, error) {
	var entries []workspace.Dependency
	for _, a := range archives {
		index := a.Index()
		for _, depend := range index.Depends {
			if m := condapkg.ParseMatchSpec(depend); m.Name == "python" {
				entries = append(entries, workspace.Dependency{
					Pos:  workspace.Pos{File: index.FileName()},
					Name: "python",
					Kind: workspace.Conda,
					Spec: workspace.Spec{Text: m.Version, Build: m.Build},
				})
			}
		}
	}
	return readAsks(known, entries...)
}

// environmentName is how an environment is called in a sentence.
func environmentName(m *workspace.Manifest, r *workspace.Resolved) string {
	return Use{Manifest: m.Path, Environment: r.Environment.Name}.String()
}
