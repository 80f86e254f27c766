package embedded

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// `taken` holds the source copies for packages that are installed together.
type taken struct {
	folders []string // one folder per package
	roots   []string // the copies that contain the folders
	done    []func(archives []string, err error) error
}

// take copies the sources of all packages to be installed, except editable ones. Each package gets a separate copy, so that no build reads files
// written by another. The copies are acquired in name order, so that two processes cannot deadlock.
func (e *Toolchain) take(ctx context.Context, n *needs) (*taken, error) {
	packages, folders := slices.Clone(n.packages), []string(nil)
	for _, dir := range n.plain {
		i := slices.IndexFunc(e.workspace.Packages, func(p *workspace.Package) bool { return toolchain.SourceFolder(e.workspace, p) == dir })
		if i >= 0 {
			packages = append(packages, e.workspace.Packages[i])
		} else {
			folders = append(folders, dir)
		}
	}
	slices.SortFunc(packages, func(a, b *workspace.Package) int { return strings.Compare(a.Name, b.Name) })
	packages = slices.Compact(packages)

	t := &taken{}
	if len(folders) > 0 {
		w, err := t.takeOne(ctx, e)
		if err != nil {
			return nil, err
		}
		for _, dir := range folders {
			if below, err := filepath.Rel(e.workspace.Root, dir); err == nil && filepath.IsLocal(below) {
				dir = filepath.Join(w.Root, below)
			}
			t.folders = append(t.folders, dir)
		}
	}
	for _, p := range packages {
		w, err := t.takeOne(ctx, e, p)
		if err != nil {
			return nil, err
		}
		t.folders = append(t.folders, toolchain.SourceFolder(w, p))
	}
	return t, nil
}

// takeOne acquires one more copy of the sources.
func (t *taken) takeOne(ctx context.Context, e *Toolchain, packages ...*workspace.Package) (*workspace.Workspace, error) {
	w, done, err := toolchain.Build{Workspace: e.workspace, Sources: e.from}.Take(ctx, packages...)
	if err != nil {
		_ = t.giveBack(nil) // keep the first error
		return nil, err
	}
	t.roots, t.done = append(t.roots, w.Root), append(t.done, done)
	return w, nil
}

// giveBack releases all copies. `err` is passed to the copy whose path it contains, or otherwise to the first copy.
func (t *taken) giveBack(err error) error {
	if len(t.done) == 0 {
		return err
	}
	failed := 0
	if err != nil {
		text := err.Error() + operr.DetailOf(err)
		failed = max(0, slices.IndexFunc(t.roots, func(root string) bool { return strings.Contains(text, root) }))
	}
	told := t.done[failed](nil, err)
	for i, done := range t.done {
		if i == failed {
			continue
		}
		if err := done(nil, nil); told == nil {
			told = err
		}
	}
	return told
}
