// Package released finds the releases of a workspace by its tags.
//
//	released.go  the last release of each package
//	lasttag.go   the last tags, and packages whose version exists only in a tag
package released

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Release is a release of a package, identified by a tag.
type Release struct {
	Package string
	Version string // version as spelled in the tag
	Tag     string
	Commit  string // commit of the tag, 40 or 64 hex digits
}

// LastReleases returns the last release of each package that has one, dependencies first. It is the tag with the highest version, including
// pre-releases, that is not above the version in the manifest. If the manifest has no version, it is the highest tag. `tags` maps tag names to
// commits. In lockstep all packages share a tag, even a package that did not exist in the tagged commit.
func LastReleases(w *workspace.Workspace, tags map[string]string) (last []Release) {
	for _, pkg := range w.Order() {
		if r, ok := lastRelease(pkg, TagPrefix(w, pkg.Name), tags); ok {
			last = append(last, r)
		}
	}
	return last
}

func lastRelease(pkg *workspace.Package, prefix string, tags map[string]string) (last Release, ok bool) {
	most, err := version.Parse(pkg.Version.Text)
	bounded := err == nil
	var highest version.Version
	for tag, commit := range tags {
		text, named := strings.CutPrefix(tag, prefix)
		v, err := version.Parse(text)
		if !named || err != nil || bounded && v.Compare(most) > 0 {
			continue
		}
		// Two tags may have the same version (v1.0 and v1.0.0). The manifest's spelling is preferred, then the first name in string order.
		same := ok && v.Compare(highest) == 0
		if !ok || v.Compare(highest) > 0 || same && last.Version != pkg.Version.Text && (text == pkg.Version.Text || tag < last.Tag) {
			last, highest, ok = Release{Package: pkg.Name, Version: text, Tag: tag, Commit: commit}, v, true
		}
	}
	return last, ok
}

// TagPrefix returns the part of a package's tag before the version: v, or <package>/v if versions are independent.
func TagPrefix(w *workspace.Workspace, name string) string {
	if w.Config.Versioning == settings.Lockstep {
		return "v"
	}
	return name + "/v"
}
