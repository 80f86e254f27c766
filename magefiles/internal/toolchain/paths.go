package toolchain

import (
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// SourceFolder returns the folder that the sources of a package lie in, on this machine.
func SourceFolder(w *workspace.Workspace, p *workspace.Package) string {
	return filepath.Join(w.Root, filepath.FromSlash(p.SourceDir))
}

// Relative writes a path of this machine from the workspace's root, for people.
func Relative(w *workspace.Workspace, path string) string {
	if rel, err := filepath.Rel(w.Root, path); err == nil {
		return rel
	}
	return path
}
