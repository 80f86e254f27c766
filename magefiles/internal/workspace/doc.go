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
//	find.go ignore.go    the root manifest, and all manifests below it that are not ignored
//	source.go            one manifest file, and errors that point into it
//	deps.go spec.go pep508.go   dependency tables in all their spellings
//	package.go build.go project.go version.go   what a [package] and its pyproject.toml say
//	literal.go recipe.go   versions that stand in Python files and in recipes
//	manifest.go task.go resolve.go   what a [workspace] says: features, environments, tasks
//	requires.go graph.go disagree.go   siblings: requirements, order, contradictions
//
// Rules come from pixi 0.77 (crates/pixi_manifest and crates/pixi_cli/src/publish/discovery.rs); where we differ, a comment
// says so. Errors are *operr.Error: one sentence that begins with file, line and column, and what to do next.
package workspace
