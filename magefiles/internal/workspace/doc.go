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
// One file is read by package manifest, what it says of a version by package versionfile, and our own tables by package settings. The
// types that these give are called by the workspace's name where it is used. The parts, in the order in which Load uses them:
//
//	load.go types.go             the whole, and the values that it is made of
//	find.go readfile.go    the root manifest, and all manifests below it that package ignore lets us see
//	package.go noarch.go    what a [package] and its pyproject.toml say
//	version.go noversion.go    which of the places of a version counts, and packages whose version stands nowhere, or is a tag; package modules names the modules
//	copies.go            copies of versions in the files of other tools
//	uncounted.go         what looks like a member or a downstream, and is none
//	foldername.go        names that are those of folders
//	requires.go graph.go disagree.go    siblings: requirements, order, contradictions
//	sources.go madeof.go    the folders and files that a package is made of; package named knows those that are named by a path
//
// Rules come from pixi 0.77 (crates/pixi_manifest and crates/pixi_cli/src/publish/discovery.rs); where we differ, a comment
// says so. Errors are *operr.Error: one sentence that begins with file, line and column, and what to do next.
package workspace
