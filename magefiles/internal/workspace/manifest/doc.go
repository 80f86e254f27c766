// Package manifest reads one manifest file of pixi, or one pyproject.toml, into values: dependencies in all their spellings, the
// features, environments and tasks of a [workspace], the build of a [package], what a [project] says to pip. It knows no other file
// but the one that it was given, walks through no folder, and asks for no package of the workspace.
//
// NewFile takes a parsed file. Its readers return values, and keep the first problem, with its place:
//
//	f := manifest.NewFile(doc, "packages/core", false)
//	deps := f.ReadDependencies()
//	err := f.TakeProblem()
//
// The files:
//
//	file.go              a file, and how values are read of it
//	dependency.go deps.go spec.go pep508.go python.go    dependency tables in all their spellings
//	build.go metadata.go    what a [package] says of its build, and of itself
//	inherited.go         what it takes from the [workspace]
//	project.go version.go    what a pyproject.toml says, and a version with its place
//	types.go manifest.go task.go    what a [workspace] says: its name, features, environments, tasks
//	resolve.go choose.go    an environment put together, and the task that a name means
//	names.go             how names compare, and the nearest one
//
// Rules come from pixi 0.77 (crates/pixi_manifest); where we differ, a comment says so.
package manifest
