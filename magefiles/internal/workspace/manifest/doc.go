// Package manifest parses a single pixi manifest or pyproject.toml: dependencies in every syntax, the features, environments and
// tasks of a [workspace], the build settings of a [package], and the [project] table that pip reads. It works on one file at a time.
// It does not access folders, and does not know the other packages of the workspace.
//
// NewFile wraps a parsed file. The methods of File return values, and record the first problem with its position:
//
//	f := manifest.NewFile(doc, "packages/core", false)
//	deps := f.ReadDependencies()
//	err := f.TakeProblem()
//
// The files:
//
//	file.go              the File type, which reads values from a file
//	dependency.go deps.go spec.go pep508.go python.go    dependency tables in every syntax
//	build.go metadata.go    build settings and metadata of a [package]
//	inherited.go         values that a [package] inherits from the [workspace]
//	project.go version.go    a pyproject.toml, and a version with its position
//	types.go manifest.go task.go    a [workspace]: its name, features, environments, tasks
//	resolve.go choose.go    merges the features of an environment, and chooses a task by name
//	names.go             compares names, and finds the most similar name
//
// The rules follow pixi 0.77 (crates/pixi_manifest). A comment marks each deviation.
package manifest
