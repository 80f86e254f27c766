package publishing

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// fitsTag refuses to publish for a tag that names other versions than the manifests have.
func fitsTag(w *workspace.Workspace, tag string) error {
	var present []string
	for _, t := range bump.PresentTags(w) {
		present = append(present, t.Name)
	}
	if tag == "" || present == nil || slices.Contains(present, tag) {
		return nil
	}
	return operr.New("tag the commit that has the version: `mage release` does so", "the tag %s started this, and the manifests are at %s", tag, strings.Join(present, ", "))
}

// tags are those that are published for: the one that started a CI run, or those of the commit that is checked out.
func (c CI) tags(ctx context.Context, repo *gitrepo.Repo, commit string) (names []string, err error) {
	if tag := c.Tag; tag != "" {
		return []string{tag}, nil
	}
	tags, err := repo.Tags(ctx)
	for tag, at := range tags {
		if at == commit {
			names = append(names, tag)
		}
	}
	return names, err
}

// releasedBy reports whether tags release a package. Where packages have versions of their own, those of others may have been changed
// since they were released: that is no reason to stop. Where no tag is of any package, all are meant.
func releasedBy(w *workspace.Workspace, tags []string, pkg *workspace.Package) bool {
	ours := bump.TagOf(w, pkg).Name
	return slices.Contains(tags, ours) || !slices.ContainsFunc(bump.PresentTags(w), func(t bump.Tag) bool {
		return slices.Contains(tags, t.Name)
	})
}

// onBranch refuses to publish for a tag whose commit is on none of the branches that releases are made from, as far as the clone
// knows them. It guards against a tag on the wrong commit; against somebody who may push tags it does not.
func (p *Publication) onBranch(ctx context.Context) error {
	tag := p.config.CI.Tag
	if tag == "" || p.repo == nil || len(p.Delivery.Uploads()) == 0 {
		return nil
	}
	having, known, err := p.repo.BranchesWith(ctx, p.result.Commit)
	if err != nil || !known {
		return err
	}
	w := p.Workspace
	for _, name := range having {
		_, branch, _ := strings.Cut(name, "/")
		if len(w.Config.Branches) == 0 {
			return nil // which one is the remote's default is not known in every clone
		}
		if _, ok := w.Config.ReleaseBranch(branch, ""); ok {
			return nil
		}
	}
	on := "a branch of the remote"
	if len(w.Config.Branches) > 0 {
		on = w.Config.ReleaseBranches("")
	}
	return operr.NewStopped("tag a commit that is on it, or name the branch in [tool.release] branch; where this clone lacks the branch, have it fetched: on GitHub, `fetch-depth: 0`", "the tag %s is on a commit that is not on %s; nothing was sent", tag, on)
}
