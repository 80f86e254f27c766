package toolchain

import (
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// SourceFolder returns the absolute path of a package's source folder.
func SourceFolder(w *workspace.Workspace, p *workspace.Package) string {
	return filepath.Join(w.Root, filepath.FromSlash(p.SourceDir))
}

// Relative returns a path relative to the workspace root, for output.
func Relative(w *workspace.Workspace, path string) string {
	if rel, err := filepath.Rel(w.Root, path); err == nil {
		return rel
	}
	return path
}
