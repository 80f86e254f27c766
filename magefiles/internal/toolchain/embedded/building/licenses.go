package building

import (
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// license is a file to copy to info/licenses. `from` is a local path, and `to` is relative to info/licenses.
type license struct{ from, to string }

// findLicenses returns the package's license files. pixi-build-python passes the license files of a pyproject.toml to rattler-build as absolute
// paths, which are copied under their base names. Globs are not allowed, and a missing file fails the build.
func findLicenses(w *workspace.Workspace, p *workspace.Package) ([]license, error) {
	var out []license
	if f := p.Metadata.LicenseFile; f != "" {
		to := filepath.Base(f)
		if filepath.IsLocal(f) {
			to = f
		}
		out = append(out, license{from: resolve(filepath.Join(w.Root, filepath.FromSlash(p.Dir)), f), to: to})
	} else if !p.Build.Python.IgnorePyproject {
		named := p.Project.LicenseFiles
		if p.Project.LicenseFile != "" {
			named = append([]string{p.Project.LicenseFile}, named...)
		}
		for _, f := range named {
			out = append(out, license{from: resolve(toolchain.SourceFolder(w, p), f), to: filepath.Base(f)})
		}
	}
	top := findTop(w.Root)
	for _, f := range out {
		if at, inside := beneath.Leads(top, f.from); !inside {
			return nil, operr.New("move the license file into the repository, and name the new path in the manifest",
				"the license file %s of %s is outside of the repository, at %q, but would be published", toolchain.Relative(w, f.from), p.Name, at)
		}
		if _, err := os.Stat(f.from); err != nil {
			return nil, operr.New("name a file that exists; pixi-build-python does not accept patterns",
				"the license file %s of %s does not exist", toolchain.Relative(w, f.from), p.Name)
		}
	}
	return out, nil
}

// resolve resolves a path in a manifest relative to dir. It does not clean the path, because ".." after a symlink is not the textual parent.
func resolve(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return dir + string(filepath.Separator) + filepath.FromSlash(name)
}

// findTop returns the top folder of the repository that contains root: the nearest one with a .git, or root itself.
func findTop(root string) string {
	for dir := root; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return root
		}
	}
}
