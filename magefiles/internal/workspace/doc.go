// Package workspace reads a pixi monorepo from its manifests: its packages, their names and versions, the requirements between
// them, the downstream manifests that use them, and the settings that a toolchain needs to run tasks and build packages. All of
// this comes from the manifests. Package names, paths and order are never hard-coded in Go.
//
// Load reads everything once and returns a *Workspace, which is immutable:
//
//	w, err := workspace.Load(".")
//	for _, p := range w.Order() { // dependencies first
//		fmt.Println(p.Name, p.Version.Text, p.Requires)
//	}
//
// Package manifest parses a single file, package versionfile finds versions in files, and package settings reads the tables that
// configure releases. The files here, in the order in which Load uses them:
//
//	load.go types.go             Load, and the types that it returns
//	find.go readfile.go    finds and reads the root manifest and all manifests below it that package ignore does not exclude
//	package.go noarch.go    reads a [package] table and its pyproject.toml
//	version.go noversion.go    finds a package's version, and packages without one; package modules lists Python modules
//	copies.go            finds copies of versions in the files of other tools
//	uncounted.go         finds files that look like a member or a downstream, but are neither
//	foldername.go        derives names from folders
//	requires.go graph.go lock.go disagree.go    resolves requirements on siblings, sorts the packages, finds contradictions
//	sources.go madeof.go    lists the files and folders that go into a package; package named handles those that a manifest names
//
// The rules follow pixi 0.77 (crates/pixi_manifest and crates/pixi_cli/src/publish/discovery.rs). A comment marks each
// deviation. Errors are *operr.Error: one sentence that begins with file, line and column, and a next step.
package workspace
