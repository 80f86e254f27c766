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

// Changelog returns the location of a workspace's changelog.
func Changelog(w *workspace.Workspace) (changelog.Place, error) {
	return changelog.Find(w.Root, w.Config.Changelog)
}

// changelog adds a section for the new versions, with a group for each package. The section contains the text under Unreleased, and a line for each
// commit that counts. A changelog that is not in Markdown is not changed.
func (p *planner) changelog(ctx context.Context) error {
	at, err := Changelog(p.w)
	if err != nil {
		return err
	}
	if at.Foreign != "" {
		p.note("%s is not Markdown, so the file is not changed: add the section of this release to the file yourself", at.Foreign)
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

// heading returns the heading of the new section, which is the version, or the date if packages have separate versions.
func (p *planner) heading() string {
	if len(p.plan.Tags) == 1 {
		return "[" + strings.TrimPrefix(p.plan.Tags[0].Name, "v") + "] - " + p.req.Date
	}
	return p.req.Date
}

// changes returns the changes since the last tag, grouped by package.
func (p *planner) changes(ctx context.Context) ([]changelog.Group, error) {
	var out []changelog.Group
	for _, m := range p.plan.Packages {
		name := m.Name
		if strings.HasPrefix(p.tagName(m.Name, ""), "v") && len(p.plan.Tags) == 1 {
			name = "" // one tag covers all packages
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
