// Package touched finds the packages that a change is about: those whose files it touches, and those that depend on them. It is what a CI has to look at
// again.
//
//	touched.go   which packages, and when all of them are taken
//	manifest.go  what of the root manifest a change is about
//	since.go     what a commit is compared with, on a runner of GitHub's and elsewhere
//	matrix.go    the packages with their tasks, as a matrix of GitHub's
//
// Where it cannot be told, all packages are taken: a test that runs in vain costs minutes, and one that does not run costs a release.
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

// Change is what differs between two states of a workspace, of which the second is at hand.
type Change struct {
	Files    []string  // relative to the workspace's root; those out of it begin with ".."
	Manifest [2][]byte // the root manifest before and after; the same where it is not among Files
	Lock     [2][]byte // its pixi.lock; nil where there is none
}

// Taken are the packages that a change is about.
type Taken struct {
	Packages []*workspace.Package // dependencies first
	All      string               // why all of them are taken; "" where they were chosen
}

// Find finds the packages that a change is about.
func Find(w *workspace.Workspace, c Change) Taken {
	for _, file := range c.Files {
		if why := shared(w, file); why != "" {
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
			below(w, path.Dir(file), names)
		}
	}
	if slices.Contains(c.Files, w.Manifest.Path) {
		if why := inManifest(w, c.Manifest[0], c.Manifest[1], names); why != "" {
			return everything(w, why)
		}
	}
	if slices.Contains(c.Files, workspace.LockFile) {
		if why := inLock(w, c.Lock[0], c.Lock[1], names); why != "" {
			return everything(w, why)
		}
	}
	spread(w, names)
	return Taken{Packages: slices.DeleteFunc(w.Order(), func(p *workspace.Package) bool { return !names[p.Name] })}
}

func everything(w *workspace.Workspace, why string) Taken {
	return Taken{Packages: w.Order(), All: why}
}

// below adds the packages below a folder that is none of theirs: tools look there for what they share, such as a conftest.py.
func below(w *workspace.Workspace, folder string, names map[string]bool) {
	for _, p := range w.Packages {
		if strings.HasPrefix(p.Dir, folder+"/") {
			names[p.Name] = true
		}
	}
}

// spread adds those that require one of the packages, for whatever: tests have requirements too.
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

// shared says that a file is not of some packages alone: the pipeline's, or one in the root folder, where tools look for their settings. Texts for people,
// and what is looked at more closely, are none of these.
func shared(w *workspace.Workspace, file string) string {
	within := file
	for strings.HasPrefix(within, "../") {
		within = strings.TrimPrefix(within, "../")
	}
	first, _, below := strings.Cut(within, "/")
	switch {
	case first == "magefiles" || first == ".github" || !below && slices.Contains([]string{gomodule.File, "go.sum", "magefile.go"}, first):
		return file + " is of the pipeline"
	case path.Dir(file) != "." || file == w.Manifest.Path || file == workspace.LockFile || isText(file):
		return ""
	}
	for _, p := range w.Packages {
		if p.Dir == "." || p.SourceDir == "." {
			return "" // whose folder it is
		}
	}
	return file + " is in the root folder, and of no package"
}

// isText reports whether a file is for people.
func isText(file string) bool {
	name := strings.ToUpper(path.Base(file))
	switch path.Ext(name) {
	case ".MD", ".RST", ".ADOC", ".PNG", ".SVG", ".JPG":
		return true
	}
	stem := strings.TrimSuffix(name, path.Ext(name))
	return slices.Contains([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "CHANGELOG", "AUTHORS", "CITATION", "CODEOWNERS", ".GITIGNORE"}, stem) || name == ".GITIGNORE"
}

// inLock adds the packages that what differs between two lock files is about; it returns why all are.
func inLock(w *workspace.Workspace, before, after []byte, names map[string]bool) string {
	const file = workspace.LockFile
	if before == nil || after == nil {
		return file + " came or went"
	}
	one, err := pixilock.Read(file, before)
	if err != nil {
		return "what changed in " + file + " cannot be told: " + err.Error()
	}
	other, err := pixilock.Read(file, after)
	if err != nil {
		return "what changed in " + file + " cannot be told: " + err.Error()
	}
	c := pixilock.Compare(one, other)
	if c.Settings {
		return file + " has other environments, platforms or channels"
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
			return fmt.Sprintf("%s has another %s, which %s asks for in an environment", file, d.Name, w.Manifest.Path)
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

// asksFor reports whether a package requires one of some names.
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
