package building

import (
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// license is a file that goes into info/licenses: where it is, and its path there.
type license struct{ from, to string }

// findLicenses lists the package's license files. pixi-build-python hands those of a pyproject.toml to rattler-build as
// absolute paths, which are copied under their base names and may be no globs; one that is missing fails the build.
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
			return nil, operr.New("put the file into the repository, and name it there",
				"the license file %s of %s leads out of the repository, to %q, and what is there would be published", toolchain.Relative(w, f.from), p.Name, at)
		}
		if _, err := os.Stat(f.from); err != nil {
			return nil, operr.New("name files that are there; pixi-build-python takes no patterns",
				"the license file %s of %s is not there", toolchain.Relative(w, f.from), p.Name)
		}
	}
	return out, nil
}

// resolve makes a path of one that a manifest names, from a folder. It is not cleaned: one up from a link is elsewhere than it says.
func resolve(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return dir + string(filepath.Separator) + filepath.FromSlash(name)
}

// findTop returns the folder of the repository that a folder is in: the nearest with a .git, or else the folder itself.
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
