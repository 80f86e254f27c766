package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Found holds facts from which a plan is computed.
type Found struct {
	Base       string // commit on which the release is based
	Branch     string // branch on the remote
	There      string // commit of the remote branch; "" if there is none
	Channel    string // URL
	Publish    string // who publishes, overriding the manifest's setting; "" uses the setting
	Repository string // "owner/name" on GitHub
}

// Draft plans a release. `b` is the requested bump, or an empty bump with tags for the versions that the manifests already have.
func Draft(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace, b *bump.Plan, found Found) (*Plan, error) {
	kept := *b
	kept.Read = nil
	p := &Plan{
		Format:     Format,
		Packages:   []Package{},
		Tags:       []string{},
		Bump:       &kept,
		Base:       found.Base,
		Remote:     w.Config.Remote,
		Branch:     found.Branch,
		Channel:    found.Channel,
		Publish:    w.Config.Publish,
		Repository: found.Repository,
	}
	if found.Publish != "" {
		p.Publish = found.Publish
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
	ahead, err := repo.Contains(ctx, p.Base, found.There)
	if err != nil {
		return nil, err
	}
	if ahead {
		if p.Unpushed, err = repo.CountAhead(ctx, p.Base, found.There); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// PackagesOf returns the packages of a workspace with their current versions.
func PackagesOf(w *workspace.Workspace) (all []Package) {
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
