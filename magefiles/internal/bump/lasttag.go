package bump

import (
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
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
	return lastRelease(&unbounded, tagPrefix(w, pkg.Name), tags)
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

// findVersion finds out where a package is whose version a tool makes from tags: where its last tag is. A copy in a manifest may be
// ahead of that, as long as its tag is not made yet, and behind it: then it was not kept up. A pre-release above the copy does not
// count, since it was not made by a bump, which would have edited the copy.
func (p *planner) findVersion(ctx context.Context, pkg *workspace.Package) (text string, err error) {
	from, text := pkg.FromTags(), pkg.Version.Text
	if from == nil || text != "" && p.history.History == nil {
		return text, nil
	}
	if p.history.History == nil {
		return "", operr.New("run it in the git repository, or add the line `version = \"0.1.0\"` to [package] of "+pkg.Manifest,
			"%s: the version of %s is that of its last tag (%s), and there is no git repository", from.Pos, pkg.Name, from.Detail)
	}
	copied, err := version.Parse(text)
	if text != "" && err != nil {
		//lint:ignore nilerr the caller says so
		return text, nil
	}
	last, err := p.newest(ctx, pkg.Name, func(v version.Version) bool { return text == "" || !v.Prerelease() })
	switch {
	case err != nil:
		return "", err
	case text != "" && (last == nil || last.version.Compare(copied) <= 0):
		return text, nil
	case last == nil:
		return "", operr.New("tag the version that it is at, such as `git tag "+p.tagName(pkg.Name, "0.1.0")+"`",
			"%s: the version of %s is that of its last tag (%s), and there is none", from.Pos, pkg.Name, from.Detail)
	}
	if text != "" {
		p.copied[pkg.Name] = text
	}
	return last.version.String(), nil
}
