// Package released knows what was released of a workspace, by its tags.
//
//	released.go  the last release of each package
//	lasttag.go   the last tags, and packages whose version only a tag has
package released

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Release is a release of one package, as a tag names it.
type Release struct {
	Package string
	Version string // as the tag has it
	Tag     string
	Commit  string // that the tag names: 40 or 64 hex digits
}

// LastReleases returns the last release of each package that has one, dependencies first: the tag of the highest version
// that is not above the manifest's, pre-releases included. tags are the commits of the tags that count, by name. A package
// whose manifest has no version takes the highest tag. In lockstep one tag is of all packages, also of one that the tagged
// commit did not have yet.
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
		// Two tags may spell one version (v1.0 and v1.0.0): the manifest's spelling counts, or else any, always the same.
		same := ok && v.Compare(highest) == 0
		if !ok || v.Compare(highest) > 0 || same && last.Version != pkg.Version.Text && (text == pkg.Version.Text || tag < last.Tag) {
			last, highest, ok = Release{Package: pkg.Name, Version: text, Tag: tag, Commit: commit}, v, true
		}
	}
	return last, ok
}

// TagPrefix is what stands before the version in a tag of a package: v, or <package>/v where versions are independent.
func TagPrefix(w *workspace.Workspace, name string) string {
	if w.Config.Versioning == settings.Lockstep {
		return "v"
	}
	return name + "/v"
}
