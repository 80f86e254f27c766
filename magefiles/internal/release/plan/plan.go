// Package plan holds the plan of a release, to which the user agrees.
//
// A plan survives a round trip through JSON. [Draft] computes it once, and later steps only read it. This package does not access the channel and
// does not change anything.
//
//	plan.go   the plan, and questions about its packages and tags
//	draft.go  computing a plan
//	next.go   next steps that depend on the plan
package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Plan describes a release before it is made. It survives a round trip through JSON.
type Plan struct {
	Format     int        `json:"format"` // always Format
	Title      string     `json:"title"`  // short name of the release: "v0.2.0"
	Packages   []Package  `json:"packages"`
	Tags       []string   `json:"tags"`
	Bump       *bump.Plan `json:"bump"`   // without its Read field; empty if the manifests already have the versions
	Base       string     `json:"base"`   // commit on which the release is based
	Remote     string     `json:"remote"` // name of the git remote
	Branch     string     `json:"branch"` // branch on the remote
	Unpushed   int        `json:"unpushed"`
	Channel    string     `json:"channel"`              // URL
	Publish    string     `json:"publish"`              // settings.PublishCI or PublishHere
	Repository string     `json:"repository,omitempty"` // "owner/name" on GitHub
	Landed     bool       `json:"landed,omitempty"`     // a pull request merged the versions in commit Base; only the tags are pushed
	Along      []Package  `json:"along,omitempty"`      // packages that are not released, but published because the channel lacks them

	// Unseen is the reason why the channel's packages are unknown, for a plan that was reconstructed from tags. It is not stored in a journal.
	Unseen error `json:"-"`
}

// Package is a package of the workspace, with its version in the release.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Format is the version of the plan format that this program reads and writes.
const Format = 1

// Readable returns an error if this program cannot read the plan of a journal. tool is the version of the program that wrote it.
func (p *Plan) Readable(tool string) error {
	if p.Format != Format {
		return operr.NewStopped("continue the release with the version of this program that began the release ("+tool+")", "the release's plan has a format that this version cannot read")
	}
	return nil
}

// Label returns the release's title.
func (p *Plan) Label() string { return p.Title }

// Is reports whether a version or tag belongs to this release.
func (p *Plan) Is(to string) bool {
	return slices.ContainsFunc(p.Tags, func(tag string) bool { return bump.SameVersion(to, tag) })
}

// Answers reports whether a request is for this release. If the request names a package, the release must include it.
func (p *Plan) Answers(req bump.Request) bool {
	return p.Is(req.To) && (req.Only == "" || slices.ContainsFunc(p.Tags, func(tag string) bool {
		name, _, apart := strings.Cut(tag, "/")
		return !apart || name == manifest.CondaName(req.Only)
	}))
}

// Releases reports whether a package is released: either all packages share a tag, or one of the tags starts with the package's name.
func (p *Plan) Releases(name string) bool {
	return slices.ContainsFunc(p.Tags, func(tag string) bool {
		of, _, apart := strings.Cut(tag, "/")
		return !apart || of == name
	})
}

// FindAlong returns packages that are not released but that the channel lacks. They are published along with the release.
func (p *Plan) FindAlong(h publish.Holdings) (all []Package) {
	for _, pkg := range p.Packages {
		if !p.Releases(pkg.Name) && len(h.Of(pkg.Name, pkg.Version)) == 0 {
			all = append(all, pkg)
		}
	}
	return all
}

// FindTag returns the release's first tag that is in tags, or "".
func (p *Plan) FindTag(tags map[string]string) string {
	for _, t := range p.Tags {
		if tags[t] != "" {
			return t
		}
	}
	return ""
}

// version returns a package's version in the release.
func (p *Plan) version(name string) string {
	for _, pkg := range p.Packages {
		if pkg.Name == name {
			return pkg.Version
		}
	}
	return ""
}

// Compare describes a package whose version in a workspace differs from the plan, or returns "".
func (p *Plan) Compare(w *workspace.Workspace) string {
	if d := w.Disagreements(); len(d) > 0 {
		return fmt.Sprintf("%s: %s", d[0].Pos, d[0].Message)
	}
	for _, pkg := range w.Packages {
		if v := p.version(pkg.Name); v != pkg.Version.Text {
			return fmt.Sprintf("%s has version %s, but the release has version %s", pkg.Name, pkg.Version.Text, v)
		}
	}
	if len(w.Packages) != len(p.Packages) {
		return fmt.Sprintf("the workspace has %d packages, but the release has %d", len(w.Packages), len(p.Packages))
	}
	return ""
}

// Describe describes the release in one line. `by` is settings.PublishCI or PublishHere.
func (p *Plan) Describe(by string) string {
	edits := 0
	for _, f := range p.Bump.Files {
		edits += len(f.Edits)
	}
	what := "no commit: the versions are in the manifests already"
	switch {
	case p.Landed:
		what = fmt.Sprintf("no commit: the versions came to %s by %.12s", p.Branch, p.Base)
	case edits > 0:
		what = operr.Count(edits, "edit") + " in " + operr.Count(len(p.Bump.Files), "file")
	}
	from := "by CI"
	if by == settings.PublishHere {
		from = "from here"
	}
	return fmt.Sprintf("%s of %s: %s, published %s", p.Title, operr.Count(len(p.Packages), "package"), what, from)
}
