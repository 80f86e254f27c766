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

// taken are the sources of packages that are installed in one go.
type taken struct {
	folders []string // of each
	roots   []string // of the copies that they are in
	done    []func(archives []string, err error) error
}

// take takes the sources of what is installed without being editable. Each package has a copy of its own: what one build writes is
// not in those of another one. They are taken in the order of their names, so that two who need several do not wait for each other.
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

// takeOne takes one more copy.
func (t *taken) takeOne(ctx context.Context, e *Toolchain, packages ...*workspace.Package) (*workspace.Workspace, error) {
	w, done, err := toolchain.Build{Workspace: e.workspace, Sources: e.from}.Take(ctx, packages...)
	if err != nil {
		_ = t.giveBack(nil) // it is the first error that counts
		return nil, err
	}
	t.roots, t.done = append(t.roots, w.Root), append(t.done, done)
	return w, nil
}

// giveBack gives all back, the one that the error speaks of with it, or else the first.
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
