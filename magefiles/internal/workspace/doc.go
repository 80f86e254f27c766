// Package workspace reads a pixi monorepo from its manifests: which packages it has, what they are called, which versions
// they carry, who requires whom and how, which manifests downstream take them, and what a toolchain needs to run tasks and
// build packages. The manifests are the only truth: no name, path or order stands in Go.
//
// Load reads everything once and gives a *Workspace, which never changes afterwards:
//
//	w, err := workspace.Load(".")
//	for _, p := range w.Order() { // dependencies first
//		fmt.Println(p.Name, p.Version.Text, p.Requires)
//	}
//
// The parts, in the order in which Load uses them:
//
//	load.go types.go types_manifest.go types_build.go    the whole, and the values that it is made of
//	find.go ignore.go    the root manifest, and all manifests below it that are not ignored
//	source.go readfile.go    one manifest file, and errors that point into it
//	deps.go spec.go pep508.go python.go    dependency tables in all their spellings
//	package.go build.go project.go version.go noarch.go    what a [package] and its pyproject.toml say
//	literal.go recipe.go envversion.go    versions that stand in Python files, in recipes and in what a build is told
//	noversion.go         packages whose version stands nowhere, or is a tag
//	manifest.go foldername.go task.go choose.go resolve.go    what a [workspace] says: its name, features, environments, tasks
//	config.go branch.go pypi.go image.go    what [tool.release] and [tool.image] say
//	requires.go names.go graph.go disagree.go    siblings: requirements, names, order, contradictions
//	sources.go outside.go named.go madeof.go    the folders and files that a package is made of
//
// Rules come from pixi 0.77 (crates/pixi_manifest and crates/pixi_cli/src/publish/discovery.rs); where we differ, a comment
// says so. Errors are *operr.Error: one sentence that begins with file, line and column, and what to do next.
package workspace
