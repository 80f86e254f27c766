// Package monorepotest writes pixi monorepos of any size, for tests and benchmarks of what changes them.
//
// Package 0 is the core; each odd one pins the one before it, each other one the core; and an application beside them, a
// downstream, pins all. A package has a pixi.toml, a pyproject.toml and a module with __version__, so that n packages
// have 3n versions and 2n-2 pins among themselves. The workspace has a version of its own, which none inherits.
package monorepotest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Write makes a monorepo of n packages, all at one version, in dir; it overwrites what it finds.
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

// Bumped returns what the files of Files(n, old) are after the packages have gone to another version: those of the
// packages show it, and all others are as they were.
func Bumped(n int, old, version string) map[string]string {
	files := Files(n, old)
	for name, text := range Files(n, version) {
		if strings.HasPrefix(name, "packages/") || name == "pixi.toml" {
			files[name] = text
		}
	}
	return files
}

// Files returns the contents of a monorepo by path.
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

// Name is the name of a package.
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
