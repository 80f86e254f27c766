package released

import (
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Merged knows the tags of a history.
type Merged interface {
	// MergedTags returns the commit of every tag that HEAD contains, by the tag's name.
	MergedTags(ctx context.Context) (map[string]string, error)
}

// LastTag returns the tag of a package's highest version, whatever its manifest says. tags are the commits of the tags that count,
// by name.
func LastTag(w *workspace.Workspace, pkg *workspace.Package, tags map[string]string) (Release, bool) {
	unbounded := *pkg
	unbounded.Version.Text = ""
	return lastRelease(&unbounded, TagPrefix(w, pkg.Name), tags)
}

// LastTags are the last tags of the packages whose version a tool makes from tags. History is asked only where there is such a package.
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

// Versioned is the error of what Unversioned refuses; nil where that is nothing.
func Versioned(ctx context.Context, w *workspace.Workspace, packages []*workspace.Package, history Merged) error {
	found := Unversioned(ctx, w, packages, history)
	return operr.Join(found, "see to each; nothing was built", "%d packages cannot be built", len(found))
}

// Unversioned refuses those of the packages in whose manifests pixi finds no version, each with the line to add: with the version of
// its last tag, or of the file that has it. History may be nil, and is asked only where there is such a package.
func Unversioned(ctx context.Context, w *workspace.Workspace, packages []*workspace.Package, history Merged) (found []*operr.Error) {
	none := workspace.NoVersions(packages)
	if len(none) == 0 {
		return nil
	}
	var tags map[string]string
	if history != nil {
		tags, _ = history.MergedTags(ctx) // without them another version is proposed
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
