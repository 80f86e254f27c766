package released

import (
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Merged provides the tags in a history.
type Merged interface {
	// MergedTags returns the commit of every tag that is reachable from HEAD, keyed by tag name.
	MergedTags(ctx context.Context) (map[string]string, error)
}

// LastTag returns a package's tag with the highest version, regardless of its manifest. `tags` maps tag names to commits.
func LastTag(w *workspace.Workspace, pkg *workspace.Package, tags map[string]string) (Release, bool) {
	unbounded := *pkg
	unbounded.Version.Text = ""
	return lastRelease(&unbounded, TagPrefix(w, pkg.Name), tags)
}

// LastTags returns the last tags of the packages whose version is derived from tags. It queries history only if there is such a package.
func LastTags(ctx context.Context, w *workspace.Workspace, history Merged) (last []Release, err error) {
	if !slices.ContainsFunc(w.Packages, func(p *workspace.Package) bool { return p.FromTags() != nil }) {
		return nil, nil
	}
	tags, err := history.MergedTags(ctx)
	for _, p := range w.Packages {
		if p.FromTags() == nil {
			continue
		}
		if r, ok := LastTag(w, p, tags); ok {
			last = append(last, r)
		}
	}
	return last, err
}

// CheckVersioned returns one error for all packages that FindUnversioned finds, or nil.
func CheckVersioned(ctx context.Context, w *workspace.Workspace, packages []*workspace.Package, history Merged) error {
	found := FindUnversioned(ctx, w, packages, history)
	return operr.Join(found, "correct each of these packages", "%d packages cannot be built; nothing was built", len(found))
}

// FindUnversioned returns an error for each package in whose manifests pixi finds no version. Each error contains the line to add, with the version
// from the last tag or from another file. `history` may be nil. It is queried only if pixi finds no version in the manifests of a package.
func FindUnversioned(ctx context.Context, w *workspace.Workspace, packages []*workspace.Package, history Merged) (found []*operr.Error) {
	none := workspace.NoVersions(packages)
	if len(none) == 0 {
		return nil
	}
	var tags map[string]string
	if history != nil {
		tags, _ = history.MergedTags(ctx) // without tags, a default version is suggested
	}
	for _, n := range none {
		at := n.Package.Version.Text
		if last, ok := LastTag(w, n.Package, tags); ok && at == "" {
			at = last.Version
		}
		found = append(found, n.Err(at))
	}
	return found
}
