package targets

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

// tagsOfRun are the tags that are published for: the one that started a CI run, or those of the commit that is checked out.
func tagsOfRun(ctx context.Context, repo *gitrepo.Repo, commit string) (names []string, err error) {
	if tag := tagOfRun(); tag != "" {
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

// releasedBy says whether tags release a package. Where packages have versions of their own, those of others may have been changed
// since they were released: that is no reason to stop. Where no tag is of any package, all are meant.
func releasedBy(w *workspace.Workspace, tags []string, pkg *workspace.Package) bool {
	ours := bump.TagOf(w, pkg).Name
	return slices.Contains(tags, ours) || !slices.ContainsFunc(bump.PresentTags(w), func(t bump.Tag) bool {
		return slices.Contains(tags, t.Name)
	})
}
