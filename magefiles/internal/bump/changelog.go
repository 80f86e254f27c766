package bump

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/commits"
	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Changelog is which file the changelog of a workspace is.
func Changelog(w *workspace.Workspace) (changelog.Place, error) {
	return changelog.Find(w.Root, w.Config.Changelog)
}

// changelog adds a section for the new versions: what people wrote under Unreleased, which goes there, and a line for each
// commit that asked for the release, both grouped by package. One that is not written in Markdown is left to people.
func (p *planner) changelog(ctx context.Context) error {
	at, err := Changelog(p.w)
	if err != nil {
		return err
	}
	if at.Foreign != "" {
		p.note("%s is not written, since it is no Markdown: the section of this release is yours to add", at.Foreign)
		return nil
	}
	src, there, err := changelog.Read(p.w.Root, at.File)
	if err != nil {
		return err
	}
	groups, err := p.changes(ctx)
	if err != nil {
		return err
	}
	if !there {
		p.edit.Write(at.File, nil, changelog.New(p.heading(), groups), "changelog")
		return nil
	}
	added, err := changelog.Add(at.File, string(src), p.heading(), groups)
	if err != nil {
		return err
	}
	p.plan.Read[at.File] = edits.Digest(src)
	p.edit.Write(at.File, src, added, "changelog")
	return nil
}

// heading is that of the new section: the version, or the day where packages have their own.
func (p *planner) heading() string {
	if len(p.plan.Tags) == 1 {
		return "[" + strings.TrimPrefix(p.plan.Tags[0].Name, "v") + "] - " + p.req.Date
	}
	return p.req.Date
}

// changes returns what the commits since the last tag changed, by package.
func (p *planner) changes(ctx context.Context) ([]changelog.Group, error) {
	var out []changelog.Group
	for _, m := range p.plan.Packages {
		name := m.Name
		if strings.HasPrefix(p.tagName(m.Name, ""), "v") && len(p.plan.Tags) == 1 {
			name = "" // all packages have one tag
		}
		pkg, err := p.w.Package(m.Name)
		if err != nil {
			return nil, err
		}
		now := p.now[m.Name]
		found, err := p.sinceLastTag(ctx, now, name, pkg)
		if err != nil {
			return nil, err
		}
		g := changelog.Group{Name: m.Name}
		if len(p.plan.Tags) > 1 {
			g.Name += " " + m.New
		}
		var lines strings.Builder
		for _, size := range []version.Size{version.Major, version.Minor, version.Patch} {
			for _, c := range found.deciding {
				for _, change := range c.Changes {
					if commits.SizeOf(change, now) == size {
						lines.WriteString(change.Line(c.Hash))
					}
				}
			}
		}
		for _, r := range m.Why {
			if r.Kind == Pinned || r.Kind == Shared {
				lines.WriteString("- " + changelog.Capitalize(r.Text) + ".\n")
			}
		}
		if g.Lines = lines.String(); g.Lines != "" {
			out = append(out, g)
		}
	}
	return out, nil
}
