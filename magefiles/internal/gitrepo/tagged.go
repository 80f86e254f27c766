package gitrepo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Tag is an annotated tag that is to be made.
type Tag struct {
	Name    string
	Message string
	Date    time.Time // zero is the present
}

// TagAlone gives a clone of ours the tags on a commit, and takes all others off it: a tool that makes a version of the tags of the
// commit finds these alone. One that is there already, at this commit, stays as it is.
func (r *Repo) TagAlone(ctx context.Context, commit string, tags ...Tag) error {
	out, _, err := r.answer(ctx, "show-ref", "--tags", "--dereference") // through tags of tags, which for-each-ref may not go
	if err != nil {
		return failed(err, "asking git for the tags of %s", r.Top)
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
		if _, err := r.fed(ctx, others.String(), "update-ref", "--no-deref", "--stdin"); err != nil {
			return failed(err, "taking the other tags off %s", short(commit))
		}
	}
	who, err := r.committer(ctx, commit)
	if err != nil {
		return err
	}
	for _, t := range tags {
		if !wanted[t.Name] {
			continue
		}
		_, err := r.call(ctx, call{
			args:     []string{"tag", "--annotate", "--force", "--cleanup=verbatim", "--file=-", "--", t.Name, commit},
			settings: []string{"tag.gpgSign=false", "tag.forceSignAnnotated=false"},
			stdin:    t.Message,
			set:      append(who, r.dated(t.Date)...),
		})
		if err != nil {
			return failed(err, "tagging %s in %s", t.Name, r.Top)
		}
	}
	return nil
}

// dated are the variables by which git dates what it makes; none for the present, and where the person says the date.
func (r *Repo) dated(t time.Time) []string {
	if _, said := command.Getenv(r.environ(nil), "GIT_COMMITTER_DATE"); said || t.IsZero() {
		return nil
	}
	return []string{fmt.Sprintf("GIT_COMMITTER_DATE=@%d +0000", t.Unix())}
}

// committer are the variables by which git tags as who made the commit, who has a name in any case.
func (r *Repo) committer(ctx context.Context, commit string) ([]string, error) {
	out, err := r.git(ctx, "rev-list", "--no-commit-header", "--max-count=1", "--format=%cn%n%ce", "--end-of-options", commit, "--")
	if err != nil {
		return nil, failed(err, "asking git who made %s", short(commit))
	}
	name, address, _ := strings.Cut(out, "\n")
	if strings.Trim(name, " .,:;<>\"\\'\t") == "" {
		name = "unknown" // git takes no empty one
	}
	return []string{"GIT_COMMITTER_NAME=" + name, "GIT_COMMITTER_EMAIL=" + address}, nil
}
