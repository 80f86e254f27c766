// Package touched finds the packages that a change affects, so that CI checks only those: packages with changed files, and packages that depend
// on them.
//
//	touched.go   finds the affected packages, and changes that affect all
//	manifest.go  handles changes to the root manifest
//	since.go     determines the commit to compare with, on a GitHub runner and elsewhere
//	matrix.go    lists the packages with their tasks as a GitHub matrix
//
// If the affected packages cannot be determined, all packages are included, because an unnecessary test costs minutes, but a missing test can break a
// release.
package touched

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/commits"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/pixilock"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Change is the difference between two states of a workspace, the second of which is checked out.
type Change struct {
	Files    []string  // relative to the workspace root; files outside it start with ".."
	Manifest [2][]byte // root manifest before and after; equal if it is not in Files
	Lock     [2][]byte // root pixi.lock before and after; nil if missing
}

// Taken is the result of Find.
type Taken struct {
	Packages []*workspace.Package // dependencies first
	All      string               // why all packages are included; "" if they were selected
}

// Find returns the packages that a change affects.
func Find(w *workspace.Workspace, c Change) Taken {
	for _, file := range c.Files {
		if why := explainShared(w, file); why != "" {
			return everything(w, why)
		}
	}
	names := map[string]bool{}
	owners := commits.NewOwners(w)
	for _, name := range owners.Of(c.Files) {
		names[name] = true
	}
	for _, file := range c.Files {
		if !isText(file) && path.Dir(file) != "." && len(owners.Of([]string{file})) == 0 {
			addBelow(w, path.Dir(file), names)
		}
	}
	if slices.Contains(c.Files, w.Manifest.Path) {
		if why := addFromManifest(w, c.Manifest[0], c.Manifest[1], names); why != "" {
			return everything(w, why)
		}
	}
	if slices.Contains(c.Files, workspace.LockFile) {
		if why := addFromLock(w, c.Lock[0], c.Lock[1], names); why != "" {
			return everything(w, why)
		}
	}
	spread(w, names)
	return Taken{Packages: slices.DeleteFunc(w.Order(), func(p *workspace.Package) bool { return !names[p.Name] })}
}

func everything(w *workspace.Workspace, why string) Taken {
	return Taken{Packages: w.Order(), All: why}
}

// `addBelow` adds the packages below a folder that is not part of a package, because tools look there for shared files, such as a conftest.py.
func addBelow(w *workspace.Workspace, folder string, names map[string]bool) {
	for _, p := range w.Packages {
		if strings.HasPrefix(p.Dir, folder+"/") {
			names[p.Name] = true
		}
	}
}

// spread adds the packages that directly or indirectly require one of the packages for any purpose, including tests.
func spread(w *workspace.Workspace, names map[string]bool) {
	by := map[string][]string{}
	for _, p := range w.Packages {
		for _, r := range p.Requires {
			by[r.Package] = append(by[r.Package], p.Name)
		}
	}
	var next []string
	for name := range names {
		next = append(next, name)
	}
	for len(next) > 0 {
		name := next[len(next)-1]
		next = next[:len(next)-1]
		for _, p := range by[name] {
			if !names[p] {
				names[p] = true
				next = append(next, p)
			}
		}
	}
}

// explainShared returns why a file affects all packages: it belongs to the pipeline, or it is in the root folder, where tools look for their
// configuration. Files that cannot affect a test (isText), the root manifest and pixi.lock do not count.
func explainShared(w *workspace.Workspace, file string) string {
	within := file
	for strings.HasPrefix(within, "../") {
		within = strings.TrimPrefix(within, "../")
	}
	first, _, below := strings.Cut(within, "/")
	switch {
	case first == "magefiles" || first == ".github" || !below && slices.Contains([]string{gomodule.File, "go.sum", "magefile.go"}, first):
		return file + " belongs to the pipeline"
	case path.Dir(file) != "." || file == w.Manifest.Path || file == workspace.LockFile || isText(file):
		return ""
	}
	for _, p := range w.Packages {
		if p.Dir == "." || p.SourceDir == "." {
			return "" // the root folder itself is this package
		}
	}
	return file + " is in the root folder, and belongs to no package"
}

// isText reports whether a file cannot affect a test: documentation, images, licenses and the like, and .gitignore.
func isText(file string) bool {
	name := strings.ToUpper(path.Base(file))
	switch path.Ext(name) {
	case ".MD", ".RST", ".ADOC", ".PNG", ".SVG", ".JPG":
		return true
	}
	stem := strings.TrimSuffix(name, path.Ext(name))
	return slices.Contains([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "CHANGELOG", "AUTHORS", "CITATION", "CODEOWNERS", ".GITIGNORE"}, stem) || name == ".GITIGNORE"
}

// addFromLock adds the packages that are affected by the difference between two lock files, or returns why all packages are affected.
func addFromLock(w *workspace.Workspace, before, after []byte, names map[string]bool) string {
	const file = workspace.LockFile
	if before == nil || after == nil {
		return file + " was added or removed"
	}
	one, err := pixilock.Read(file, before)
	if err != nil {
		return "the changes in " + file + " are unknown: " + err.Error()
	}
	other, err := pixilock.Read(file, after)
	if err != nil {
		return "the changes in " + file + " are unknown: " + err.Error()
	}
	c := pixilock.Compare(one, other)
	if c.Settings {
		return file + " differs in environments, platforms or channels"
	}
	ours := map[string]string{}
	for _, p := range w.Packages {
		ours[pixilock.Fold(p.Name)] = p.Name
		if p.PyPIName != "" {
			ours[pixilock.Fold(p.PyPIName)] = p.Name
		}
	}
	reached := c.Reached()
	for _, d := range w.Manifest.Dependencies() {
		if name := pixilock.Fold(d.Name); d.Role != manifest.RolePool && reached[name] && ours[name] == "" {
			return fmt.Sprintf("%s differs in %s, which an environment of %s requires", file, d.Name, w.Manifest.Path)
		}
	}
	for name := range reached {
		if p := ours[name]; p != "" {
			names[p] = true
		}
	}
	for _, p := range w.Packages {
		if asksFor(p, reached) {
			names[p.Name] = true
		}
	}
	return ""
}

// asksFor reports whether a package requires any of the names.
func asksFor(p *workspace.Package, names map[string]bool) bool {
	for _, d := range p.Deps {
		if names[pixilock.Fold(d.Name)] {
			return true
		}
	}
	if p.Project != nil {
		for _, d := range p.Project.Dependencies {
			if names[pixilock.Fold(d.Name)] {
				return true
			}
		}
	}
	return false
}
