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

// fitsTag returns an error if this run was started by a tag that does not match the versions in the manifests.
func fitsTag(w *workspace.Workspace, tag string) error {
	var present []string
	for _, t := range bump.PresentTags(w) {
		present = append(present, t.Name)
	}
	if tag == "" || present == nil || slices.Contains(present, tag) {
		return nil
	}
	return operr.New("release the version with `mage release`, which tags the right commit", "the tag %s started this run, but the tags of the versions in the manifests are: %s", tag, strings.Join(present, ", "))
}

// tags returns the tags that are being published: the tag that started the CI run, or the tags of the commit that is checked out.
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

// releasedBy reports whether a package is released by one of the tags, or if no tag belongs to a package. If packages have separate versions, the
// other packages may have changed since their own releases, which is not an error.
func releasedBy(w *workspace.Workspace, tags []string, pkg *workspace.Package) bool {
	ours := bump.TagOf(w, pkg).Name
	return slices.Contains(tags, ours) || !slices.ContainsFunc(bump.PresentTags(w), func(t bump.Tag) bool {
		return slices.Contains(tags, t.Name)
	})
}

// checkBranch returns an error if the tagged commit is not on a release branch. It checks only if the clone has information about branches. It
// detects a tag that was put on the wrong commit by accident, but it cannot stop someone who has the right to push tags.
func (p *Publication) checkBranch(ctx context.Context) error {
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
			return nil // not every clone knows the remote's default branch
		}
		if _, ok := w.Config.ReleaseBranch(branch, ""); ok {
			return nil
		}
	}
	on := "a branch of the remote"
	if len(w.Config.Branches) > 0 {
		on = w.Config.ReleaseBranches("")
	}
	return operr.NewStopped("tag a commit that is on a release branch, or add the branch of the tagged commit to `branch` of [tool.release]; if this clone lacks the branch, fetch all branches (on GitHub, set `fetch-depth: 0`)", "the commit of the tag %s is not on %s; nothing was sent", tag, on)
}
