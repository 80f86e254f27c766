package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Plan is a release that was worked out and not made. It survives JSON unchanged.
type Plan struct {
	Format     int        `json:"format"` // planFormat
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
	Along      []Package  `json:"along,omitempty"`      // published too, though not released: the channel lacks them

	// Unseen is why it cannot be told what the channel has of a release that was worked out from its tags. It is in no journal.
	Unseen error `json:"-"`
}

// Package is one package of the workspace, at the version that it has in the release.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

const planFormat = 1

// Is reports whether a request names this release: by its tag, its version, or the word that it was planned with.
func (p *Plan) Is(to string) bool {
	return slices.ContainsFunc(p.Tags, func(tag string) bool {
		return to == tag || to == tag[strings.LastIndex(tag, "v")+1:]
	})
}

// asked reports whether a request names this release, and, if a package, one that it releases.
func (p *Plan) asked(req bump.Request) bool {
	return p.Is(req.To) && (req.Only == "" || slices.ContainsFunc(p.Tags, func(tag string) bool {
		name, _, apart := strings.Cut(tag, "/")
		return !apart || name == workspace.CondaName(req.Only)
	}))
}

// releases reports whether a package is released, by the tags: one tag is of all packages, or it begins with the name of its package.
func (p *Plan) releases(name string) bool {
	return slices.ContainsFunc(p.Tags, func(tag string) bool {
		of, _, apart := strings.Cut(tag, "/")
		return !apart || of == name
	})
}

// along are the packages that are published without being released: publishing completes the channel.
func (p *Plan) along(h publish.Holdings) (all []Package) {
	for _, pkg := range p.Packages {
		if !p.releases(pkg.Name) && len(h.Of(pkg.Name, pkg.Version)) == 0 {
			all = append(all, pkg)
		}
	}
	return all
}

// draft works out a release. The bump is the one that a person asks for, or, with present, the versions that the manifests
// have.
func (r *Release) draft(ctx context.Context, w *workspace.Workspace, b *bump.Plan, facts *asked) (*Plan, error) {
	kept := *b
	kept.Read = nil
	p := &Plan{
		Format:     planFormat,
		Packages:   []Package{},
		Tags:       []string{},
		Bump:       &kept,
		Base:       facts.head.Commit,
		Remote:     w.Config.Remote,
		Branch:     facts.branch,
		Publish:    w.Config.Publish,
		Repository: r.GitHub.Repository,
	}
	if r.Publish != "" {
		p.Publish = r.Publish
	}
	for _, t := range b.Tags {
		p.Tags = append(p.Tags, t.Name)
	}
	slices.Sort(p.Tags)
	p.Title = title(p.Tags)
	for _, pkg := range w.Order() {
		v := pkg.Version.Text
		for _, m := range b.Packages {
			if m.Name == pkg.Name {
				v = m.New
			}
		}
		p.Packages = append(p.Packages, Package{Name: pkg.Name, Version: v})
	}
	c, err := r.Channel(w)
	switch {
	case err == nil:
		p.Channel = c.URL()
	case facts.channelErr == nil: // preflight says it, beside everything else that is in the way
		return nil, err
	}
	remote := facts.refs.Branches[facts.branch]
	ahead, err := r.Repo.Contains(ctx, p.Base, remote)
	if err != nil {
		return nil, err
	}
	if ahead {
		if p.Unpushed, err = r.Repo.Ahead(ctx, p.Base, remote); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// packagesOf are the packages of a workspace at the versions that they have.
func packagesOf(w *workspace.Workspace) (all []Package) {
	for _, pkg := range w.Order() {
		all = append(all, Package{Name: pkg.Name, Version: pkg.Version.Text})
	}
	return all
}

func title(tags []string) string {
	if len(tags) > 3 {
		return fmt.Sprintf("%s and %d more", tags[0], len(tags)-1)
	}
	return strings.Join(tags, ", ")
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

// agrees says where the packages of a workspace are not at the plan's versions; "" where they all are.
func (p *Plan) agrees(w *workspace.Workspace) string {
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

// planned shows what the plan is.
func (r *Release) planned(context.Context, *string) (string, bool, error) {
	p := r.plan
	if p == nil {
		return "", false, operr.New("", "there is no plan")
	}
	edits := 0
	for _, f := range p.Bump.Files {
		edits += len(f.Edits)
	}
	what := "no commit: the versions are in the manifests already"
	if edits > 0 {
		what = operr.Count(edits, "edit") + " in " + operr.Count(len(p.Bump.Files), "file")
	}
	by := "published by CI"
	if r.By() == workspace.PublishHere {
		by = "published from here"
	}
	return fmt.Sprintf("%s of %s: %s, %s", p.Title, operr.Count(len(p.Packages), "package"), what, by), true, nil
}

// By is who publishes.
func (r *Release) By() string {
	if r.Publish != "" {
		return r.Publish
	}
	return r.plan.Publish
}

// agree asks, and begins the journal.
func (r *Release) agree(ctx context.Context) (string, error) {
	if err := r.Confirm(ctx, r.plan); err != nil {
		return "", err
	}
	return "yes", r.session.Agree(r.plan)
}
