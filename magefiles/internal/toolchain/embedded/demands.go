package embedded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// readOwn reads the Python requirements in an environment's tables and, if m is a downstream, in its pyproject.toml.
func (e *Toolchain) readOwn(m *manifest.Manifest, r *manifest.Resolved) ([]pythons.Ask, error) {
	var entries []manifest.Dependency
	for _, d := range slices.Concat(r.Conda, r.Constraints) {
		if pythons.IsEntry(d) {
			entries = append(entries, d)
		}
	}
	for _, d := range e.workspace.Downstreams {
		if d.Manifest == m && d.Project != nil {
			entries = append(entries, d.Project.Python...)
		}
	}
	return pythons.Read(nil, entries...)
}

// readEnvironment reads all Python requirements of an environment: those in its tables, and those of all workspace packages and folders in it.
func (e *Toolchain) readEnvironment(m *manifest.Manifest, n *needs) ([]pythons.Ask, error) {
	asks, err := e.readOwn(m, n.of)
	if err != nil {
		return nil, err
	}
	if asks, err = pythons.ReadRun(asks, n.packages); err != nil {
		return nil, err
	}
	for _, dir := range slices.Concat(n.plain, n.editable) {
		entries, err := e.readFolder(dir)
		if err != nil {
			return nil, err
		}
		if asks, err = pythons.Read(asks, entries...); err != nil {
			return nil, err
		}
	}
	archives, closeAll, err := openAll(n.archives)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	return pythons.ReadArchives(asks, archives)
}

// readFolder reads the Python requirements in a folder's pyproject.toml. It returns nil if there is no such file.
func (e *Toolchain) readFolder(dir string) ([]manifest.Dependency, error) {
	file := filepath.Join(dir, manifest.PyprojectFile)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	doc, err := tomledit.Parse(filepath.ToSlash(toolchain.Relative(e.workspace, file)), data)
	if err != nil {
		return nil, err
	}
	return manifest.PythonSpecs(doc), nil
}

// nameEnvironment returns the name of an environment for use in messages.
func nameEnvironment(m *manifest.Manifest, r *manifest.Resolved) string {
	return Use{Manifest: m.Path, Environment: r.Environment.Name}.String()
}
