// Package plan is the plan of a release: what a person agrees to.
//
// A plan is a value that survives JSON unchanged. It is worked out once ([Draft]), and what comes later reads it: nothing here asks the
// channel, or changes anything.
//
//	plan.go   the plan, and what it says of packages and tags
//	draft.go  how it is worked out
//	next.go   next steps that depend on it
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

// Plan is a release that was worked out and not made. It survives JSON unchanged.
type Plan struct {
	Format     int        `json:"format"` // Format
	Title      string     `json:"title"`  // what is released, in a word: "v0.2.0"
	Packages   []Package  `json:"packages"`
	Tags       []string   `json:"tags"`
	Bump       *bump.Plan `json:"bump"`   // without Read; empty where the manifests have the versions
	Base       string     `json:"base"`   // the commit that it was made on
	Remote     string     `json:"remote"` // name of the git remote
	Branch     string     `json:"branch"` // on the remote
	Unpushed   int        `json:"unpushed"`
	Channel    string     `json:"channel"`              // URL
	Publish    string     `json:"publish"`              // workspace.PublishCI or PublishHere
	Repository string     `json:"repository,omitempty"` // on GitHub, "owner/name"
	Landed     bool       `json:"landed,omitempty"`     // a pull request brought the versions to the branch by the commit Base: the tag goes to it, and is all that is pushed
	Along      []Package  `json:"along,omitempty"`      // published too, though not released: the channel lacks them

	// Unseen is why it cannot be told what the channel has of a release that was worked out from its tags. It is in no journal.
	Unseen error `json:"-"`
}

// Package is one package of the workspace, at the version that it has in the release.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Format is that of the plans that this program makes and reads.
const Format = 1

// Readable refuses the plan of a journal that this version cannot read. The journal was written by the version tool.
func (p *Plan) Readable(tool string) error {
	if p.Format != Format {
		return operr.NewStopped("continue it with the version of this tool that began it ("+tool+")", "the plan is of another format")
	}
	return nil
}

// Label names the release.
func (p *Plan) Label() string { return p.Title }

// Is reports whether a version, or a tag, names this release.
func (p *Plan) Is(to string) bool {
	return slices.ContainsFunc(p.Tags, func(tag string) bool { return bump.SameVersion(to, tag) })
}

// Answers reports whether a request names this release, and, if a package, one that it releases.
func (p *Plan) Answers(req bump.Request) bool {
	return p.Is(req.To) && (req.Only == "" || slices.ContainsFunc(p.Tags, func(tag string) bool {
		name, _, apart := strings.Cut(tag, "/")
		return !apart || name == manifest.CondaName(req.Only)
	}))
}

// Releases reports whether a package is released, by the tags: one tag is of all packages, or it begins with the name of its package.
func (p *Plan) Releases(name string) bool {
	return slices.ContainsFunc(p.Tags, func(tag string) bool {
		of, _, apart := strings.Cut(tag, "/")
		return !apart || of == name
	})
}

// FindAlong finds the packages that are published without being released: publishing completes the channel.
func (p *Plan) FindAlong(h publish.Holdings) (all []Package) {
	for _, pkg := range p.Packages {
		if !p.Releases(pkg.Name) && len(h.Of(pkg.Name, pkg.Version)) == 0 {
			all = append(all, pkg)
		}
	}
	return all
}

// FindTag finds the first tag of the release that is among others, which are commits by name; "" for none.
func (p *Plan) FindTag(tags map[string]string) string {
	for _, t := range p.Tags {
		if tags[t] != "" {
			return t
		}
	}
	return ""
}

// version is that of one package in the release.
func (p *Plan) version(name string) string {
	for _, pkg := range p.Packages {
		if pkg.Name == name {
			return pkg.Version
		}
	}
	return ""
}

// Compare says where the packages of a workspace are not at the plan's versions; "" where they all are.
func (p *Plan) Compare(w *workspace.Workspace) string {
	if d := w.Disagreements(); len(d) > 0 {
		return fmt.Sprintf("%s: %s", d[0].Pos, d[0].Message)
	}
	for _, pkg := range w.Packages {
		if v := p.version(pkg.Name); v != pkg.Version.Text {
			return fmt.Sprintf("%s is at %s, and the release has it at %s", pkg.Name, pkg.Version.Text, v)
		}
	}
	if len(w.Packages) != len(p.Packages) {
		return fmt.Sprintf("there are %d packages, and the release has %d", len(w.Packages), len(p.Packages))
	}
	return ""
}

// Describe says in a line what the release is; by is who publishes, workspace.PublishCI or PublishHere.
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
