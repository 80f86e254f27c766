package gitremote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ErrRejected is in the chain when a remote took nothing of a push because of what it has, or of its rules.
var ErrRejected = errors.New("rejected")

// ErrWorkflows is beside [ErrRejected] when GitHub took nothing since the token has no `workflows: write`, and what was pushed has workflow files that no
// branch has. GitHub tells it by its words alone.
var ErrWorkflows = errors.New("the token may not write workflow files")

// Transient reports whether a remote did not answer as it should, and may when it is asked again.
func Transient(err error) bool {
	return git.IsUnanswered(err) && !errors.Is(err, ErrRejected)
}

// MaxTags is how many tags a push may bring. Where one brings more, GitHub creates no event for any of them, and GitLab may start no pipeline.
const MaxTags = 3

// Push sends a commit to a branch, unless that is "", and tags, to a remote: all or nothing. What was rejected is ErrRejected. Where a push to
// the remote goes to several addresses, it is all or nothing at each, and none is sent anything that another one would refuse
// for what it has.
func Push(ctx context.Context, r *gitrepo.Repo, remote, commit, branch string, tags ...string) error {
	var refs []string
	if branch != "" {
		refs = append(refs, commit+":refs/heads/"+branch)
	}
	for _, t := range tags {
		refs = append(refs, "refs/tags/"+t+":refs/tags/"+t)
	}
	return push(ctx, r, remote, nil, refs)
}

// Unpush takes tags away from a remote and, unless the commit is "", sends it to a branch, all or nothing, and only if the tags
// are still what refs says.
func Unpush(ctx context.Context, r *gitrepo.Repo, remote string, refs Refs, commit, branch string, tags ...string) error {
	var specs, leases []string
	if commit != "" {
		specs = append(specs, commit+":refs/heads/"+branch)
	}
	for _, t := range tags {
		if refs.objects[t] != "" {
			specs = append(specs, ":refs/tags/"+t)
			leases = append(leases, "--force-with-lease=refs/tags/"+t+":"+refs.objects[t])
		}
	}
	return push(ctx, r, remote, leases, specs)
}

// PushOver sends a commit to a branch in place of the one that it was at, which is "" for a branch that is not to be there yet. Where the branch is
// somewhere else by now, nothing is sent, and the error is ErrRejected.
func PushOver(ctx context.Context, r *gitrepo.Repo, remote, branch, was, commit string) error {
	ref := "refs/heads/" + branch
	return push(ctx, r, remote, []string{"--force-with-lease=" + ref + ":" + was}, []string{commit + ":" + ref})
}

// exactly are the flags that make git push what it is told, and nothing that settings add to it.
var exactly = []string{"--porcelain", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"}

// OtherTag reports whether a tag of a remote is another object than the one that this clone has under that name: then somebody else
// has made it, be it of the same commit. A tag that is not in both does not differ.
func OtherTag(ctx context.Context, r *gitrepo.Repo, refs Refs, tag string) (bool, error) {
	there := refs.objects[tag]
	if there == "" {
		return false, nil
	}
	here, ok, err := r.Answer(ctx, "rev-parse", "--quiet", "--verify", "--end-of-options", "refs/tags/"+tag)
	if err != nil {
		return false, git.Failed(err, "looking for the tag %s in %s", tag, r.Top)
	}
	return ok && here != there, nil
}

func push(ctx context.Context, r *gitrepo.Repo, remote string, flags, refs []string) error {
	to, err := addresses(ctx, r, remote)
	if err != nil {
		return err
	}
	c := git.Call{Own: true, Porcelain: true, Settings: []string{"push.pushOption=", "push.negotiate=false"}}
	if !strings.Contains(remote, "=") {
		c.Settings = append(c.Settings, "remote."+remote+".mirror=false")
	}
	arguments := func(more ...string) []string {
		return slices.Concat([]string{"push"}, exactly, flags, more, []string{"--", remote}, refs)
	}
	dry := func(more ...string) error {
		asked := git.Call{Args: arguments(append(more, "--dry-run", "--no-verify")...), Settings: c.Settings}
		_, err := r.Talk(ctx, asked)
		return err
	}
	if len(to) > 1 {
		if err := dry("--atomic"); err != nil {
			return notPushed(err, remote, strings.Join(to, " and "))
		}
	}
	c.Args = arguments("--atomic")
	out, err := r.Talk(ctx, c)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.Is(err, git.ErrUnanswered):
	case rejected(out) && ofWorkflows(out+operr.DetailOf(err)):
		err = fmt.Errorf("%w: %w: %w", ErrRejected, ErrWorkflows, err)
	case rejected(out):
		err = fmt.Errorf("%w: %w", ErrRejected, err)
	case git.Ended(err) == 1 && !slices.ContainsFunc(strings.Split(out, "\n"), func(line string) bool { return git.Flag(line) == "!" }):
		return r.Refused(ctx, err, "pushing to %s", remote) // a hook: nothing was said to the remote
	default:
		err = broken(err, dry)
	}
	return notPushed(err, remote, strings.Join(to, " and "))
}

func notPushed(err error, remote, to string) error {
	if remote != to {
		to = remote + " (" + to + ")"
	}
	return git.Failed(err, "pushing to %s", to)
}

// broken finds out why the conversation of a push ended before its end. That is asked by a push that sends nothing, since the
// push itself has spoken the person's language.
func broken(err error, dry func(...string) error) error {
	switch asked := dry("--atomic"); {
	case asked == nil:
		return git.Unanswered(err)
	case dry() == nil && dry("--atomic") != nil:
		return operr.New("allow it there (receive.advertiseAtomic), or tag and push by hand: `mage version:bump -commit -tag`",
			"the remote does not take branch and tags at once (--atomic), and one without the other is half a release: %w", err)
	case Transient(asked):
		return git.Unanswered(err)
	}
	return err
}

// ofWorkflows reports whether GitHub says that a token may not write workflow files.
func ofWorkflows(said string) bool {
	return strings.Contains(said, "refusing to allow") && strings.Contains(said, "without `workflow")
}

// rejected reports whether the output of git push --porcelain tells of a ref that was rejected by the remote, or because of what
// it has. The words are of the format, in any language.
func rejected(out string) bool {
	for line := range strings.Lines(out) {
		_, rest, _ := strings.Cut(line, "\t")
		_, summary, _ := strings.Cut(rest, "\t")
		if git.Flag(line) == "!" && (strings.HasPrefix(summary, "[rejected]") || strings.HasPrefix(summary, "[remote rejected]")) {
			return true
		}
	}
	return false
}
