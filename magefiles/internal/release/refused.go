package release

import (
	"context"
	"errors"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// explainPush says what to do after a push that was refused. Whether somebody was faster, or the remote refuses it from anybody,
// is seen from what the remote has, and not read out of what it says.
func (r *Release) explainPush(ctx context.Context, err error) error {
	if gitremote.Transient(err) || ctx.Err() != nil {
		return err
	}
	p := r.plan
	const faster = "`mage undo`, `git pull`, and release again"
	refs, rerr := gitremote.Read(ctx, r.Repo, p.Remote)
	ours := true
	if there := refs.Branches[p.Branch]; there != "" && rerr == nil {
		ours, rerr = r.Repo.Contains(ctx, r.commit.Get().Hash, there)
	}
	switch {
	case rerr != nil || !errors.Is(err, gitremote.ErrRejected):
		return operr.New("see what git says above; where somebody has pushed meanwhile: "+faster, "nothing of %s was taken: %w", p.Title, err)
	case anyOf(refs.Tags, p.Tags) != "":
		return operr.New("find out who pushed it; "+faster, "nothing of %s was taken, since %s has the tag %s meanwhile: %w", p.Title, p.Remote, anyOf(refs.Tags, p.Tags), err)
	case refs.Branches[p.Branch] == r.commit.Get().Hash:
		return operr.New("see what git says above: the rules of "+p.Remote+" for tags have to let it through; then run it again",
			"%s refused the tag of %s, and has its commit already: %w", p.Remote, p.Title, err)
	case !ours:
		return operr.New(faster, "nothing of %s was taken, since somebody has pushed to %s/%s meanwhile: %w", p.Title, p.Remote, p.Branch, err)
	case p.Bump.Empty():
		return operr.New("see what git says above; where nobody may push to "+p.Branch+": have what is not pushed yet merged there by a pull request, `git pull`, and run it again",
			"%s refused the commits that its %s does not have yet: %w", p.Remote, p.Branch, err)
	}
	return operr.New("see what git says above; where nobody may push to "+p.Branch+", a pull request has to bring the versions there: "+p.byPullRequest(),
		"%s refused the push to %s, and nothing of %s was taken: %w", p.Remote, p.Branch, p.Title, err)
}

// byPullRequest is the way to release where a branch is protected.
func (p *Plan) byPullRequest() string {
	req := p.Bump.Request
	bump, only, where := "mage version:bump -to="+p.word(), "", "release-"+p.word()
	if req.Only != "" {
		only = " -only=" + req.Only
	}
	if len(p.Tags) > 1 {
		bump, where = "mage version:bump -to="+req.To, "release"
	}
	bump += only
	if req.Changelog && (len(p.Tags) == 1 || req.To != "auto") { // auto writes it by itself
		bump += " -changelog"
	}
	release := "`mage release -to=" + p.word() + only + "`"
	if len(p.Tags) > 1 {
		release = "`mage release -to=VERSION -only=NAME` for each package that moved"
	}
	return "`mage undo`, `git switch -c " + where + "`, `" + bump + " -commit`, push that branch, have it merged, `git switch " + p.Branch + "`, `git pull`, and " + release
}

// word is the version of a release of one tag.
func (p *Plan) word() string {
	if len(p.Tags) == 0 {
		return ""
	}
	tag := p.Tags[0]
	return tag[strings.LastIndex(tag, "v")+1:]
}

// anyOf is the first of several tags that a remote has; "" for none.
func anyOf(has map[string]string, tags []string) string {
	for _, t := range tags {
		if has[t] != "" {
			return t
		}
	}
	return ""
}
