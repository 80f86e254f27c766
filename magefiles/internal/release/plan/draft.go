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

// Found is what was found before a plan is worked out.
type Found struct {
	Base       string // the commit that it is made on
	Branch     string // on the remote
	There      string // the commit that the remote's branch is at; "" for none
	Channel    string // URL
	Publish    string // who publishes, in place of what the manifest says; "" is that
	Repository string // on GitHub
}

// Draft works out a release. The bump is the one that a person asks for, or an empty one with the tags of the versions that the manifests
// have.
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
		if p.Unpushed, err = repo.Ahead(ctx, p.Base, found.There); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// PackagesOf are the packages of a workspace at the versions that they have.
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
