// Package versionfile finds the versions that stand in the files of one package: in its pyproject.toml or a module that this names, as
// __version__ in a Python file, in a recipe, and in the variables that a build is given. It also knows which tools make a version
// from tags, or while building. Which of these places counts for a package is not known here: package workspace says it.
//
//	project.go    [project] version, and who makes one that is dynamic
//	literal.go python.go    __version__ = "…", in every form that Python has for it
//	recipe.go     a recipe.yaml: its version, and what else is read of it
//	copies.go     meson.build, CITATION.cff and the locks of uv and Cargo
//	env.go        variables that tell a tool the version
package versionfile
