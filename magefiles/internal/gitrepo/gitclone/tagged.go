package gitclone

import (
	"context"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// TagAlone makes the given tags on a commit of a clone, and removes all other tags from that commit, so that tools which derive a version from tags
// see only the given ones. An existing tag on the commit is not changed.
func TagAlone(ctx context.Context, r *gitrepo.Repo, commit string, tags ...gitrepo.Tag) error {
	out, _, err := r.Answer(ctx, "show-ref", "--tags", "--dereference") // resolves nested tags, which for-each-ref may not do
	if err != nil {
		return git.Failure(err, "asking git for the tags of %s", r.Top)
	}
	wanted := map[string]bool{}
	for _, t := range tags {
		wanted[t.Name] = true
	}
	var others strings.Builder
	for line := range strings.SplitSeq(out, "\n") {
		name, here := strings.CutPrefix(line, commit+" refs/tags/")
		name = strings.TrimSuffix(name, "^{}")
		if _, ours := wanted[name]; ours && here {
			wanted[name] = false
		} else if here {
			fmt.Fprintf(&others, "delete refs/tags/%s\n", name)
		}
	}
	if others.Len() > 0 {
		if _, err := r.Feed(ctx, others.String(), "update-ref", "--no-deref", "--stdin"); err != nil {
			return git.Failure(err, "removing the other tags from %s", git.Short(commit))
		}
	}
	who, err := committer(ctx, r, commit)
	if err != nil {
		return err
	}
	for _, t := range tags {
		if !wanted[t.Name] {
			continue
		}
		_, err := r.Call(ctx, git.Call{
			Args:     []string{"tag", "--annotate", "--force", "--cleanup=verbatim", "--file=-", "--", t.Name, commit},
			Settings: []string{"tag.gpgSign=false", "tag.forceSignAnnotated=false"},
			Stdin:    t.Message,
			Set:      append(who, r.Dated(t.Date)...),
		})
		if err != nil {
			return git.Failure(err, "tagging %s in %s", t.Name, r.Top)
		}
	}
	return nil
}

// committer returns variables that make git use the commit's committer as the tagger. An unusable name is replaced.
func committer(ctx context.Context, r *gitrepo.Repo, commit string) ([]string, error) {
	out, err := r.Ask(ctx, "rev-list", "--no-commit-header", "--max-count=1", "--format=%cn%n%ce", "--end-of-options", commit, "--")
	if err != nil {
		return nil, git.Failure(err, "asking git who made %s", git.Short(commit))
	}
	name, address, _ := strings.Cut(out, "\n")
	if strings.Trim(name, " .,:;<>\"\\'\t") == "" {
		name = "unknown" // git refuses an empty name
	}
	return []string{"GIT_COMMITTER_NAME=" + name, "GIT_COMMITTER_EMAIL=" + address}, nil
}
