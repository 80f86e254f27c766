// Package versionfile finds version strings in the files of a package: in its pyproject.toml or a module that this file refers to,
// in the __version__ of a Python file, in a recipe, and in environment variables of the build. It also knows which tools derive a
// version from tags or compute it during the build. Package workspace decides which version counts.
//
//	project.go    [project] version, and the tool that computes a dynamic version
//	literal.go python.go    __version__ = "…", in every Python syntax
//	recipe.go     a recipe.yaml: its version, its requirements, and whether it is noarch
//	copies.go     meson.build, CITATION.cff and the lock files of uv and Cargo
//	env.go        variables that pass a version to a tool
package versionfile
