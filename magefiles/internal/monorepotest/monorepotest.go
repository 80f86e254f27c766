// Package monorepotest generates pixi monorepos of any size, for tests and benchmarks of code that edits them.
//
// Package 0 is the core. Each odd package pins its predecessor, every other package pins the core, and a separate application, a downstream, pins
// all packages. A package has a pixi.toml, a pyproject.toml and a module with __version__, so that n packages have 3n versions and 2n-2 pins on
// each other. The workspace has its own version, which the packages do not inherit.
package monorepotest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Write writes a monorepo of n packages, all with the same version, to dir. It overwrites existing files.
func Write(dir string, n int, version string) error {
	for name, text := range Files(n, version) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Bumped returns Files(n, old) with the packages bumped to another version: the files of the packages and the workspace manifest have the new
// version, and all other files are unchanged.
func Bumped(n int, old, version string) map[string]string {
	files := Files(n, old)
	for name, text := range Files(n, version) {
		if strings.HasPrefix(name, "packages/") || name == "pixi.toml" {
			files[name] = text
		}
	}
	return files
}

// Files returns the contents of a monorepo's files, by path.
func Files(n int, version string) map[string]string {
	var pins strings.Builder
	files := map[string]string{}
	for i := range n {
		fmt.Fprintf(&pins, "%s = \"==%s\"\n", Name(i), version)
		dir := "packages/" + strings.TrimPrefix(Name(i), prefix)
		deps, pin := `"numpy>=1.26"`, ""
		if i > 0 {
			on := 0
			if i%2 == 1 {
				on = i - 1
			}
			deps = fmt.Sprintf("%q, %s", Name(on)+"=="+version, deps)
			pin = fmt.Sprintf("%s = \"==%s\"\n", Name(on), version)
		}
		files[dir+"/pyproject.toml"] = fmt.Sprintf(pyproject, Name(i), version, i, deps)
		files[dir+"/pixi.toml"] = fmt.Sprintf(manifest, Name(i), version, pin)
		files[dir+"/src/"+strings.ReplaceAll(Name(i), "-", "_")+"/__init__.py"] = fmt.Sprintf("__version__ = %q\n", version)
	}
	files["pixi.toml"] = fmt.Sprintf(workspace, version)
	files["app/pixi.toml"] = fmt.Sprintf(app, pins.String())
	return files
}

const prefix = "mono-"

// Name returns the name of package i.
func Name(i int) string {
	if i == 0 {
		return prefix + "core"
	}
	return fmt.Sprintf(prefix+"p%04d", i)
}

const (
	pyproject = `[project]
name = "%s"
version = "%s"
description = "Package %d"
requires-python = ">=3.10"
dependencies = [%s]

[build-system]
requires = ["hatchling>=1.18"]
build-backend = "hatchling.build"

[tool.pytest.ini_options]
testpaths = ["tests"]
`
	manifest = `[package]
name = "%s"
version = "%s"

[package.build]
backend = { name = "pixi-build-python", version = "*" }
config = { noarch = true }

[package.host-dependencies]
hatchling = ">=1.27,<2.0"
uv = "*"

[package.run-dependencies]
%snumpy = ">=1.26,<3"
`
	workspace = `[workspace]
name = "mono"
version = "%s"
channels = ["https://prefix.dev/conda-forge"]
platforms = ["linux-64", "linux-aarch64"]
`
	app = `[workspace]
name = "site"
version = "0.1.0"
channels = ["https://prefix.dev/mono", "https://prefix.dev/conda-forge"]
platforms = ["linux-64", "linux-aarch64"]

[dependencies]
python = ">=3.12,<3.14"
%s`
)
