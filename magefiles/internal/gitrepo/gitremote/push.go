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

// ErrRejected means that a remote rejected the push, because of its current branches and tags or because of its rules.
var ErrRejected = errors.New("rejected")

// ErrWorkflows accompanies [ErrRejected] if GitHub rejected the push because it contains workflow files that are on no branch yet, and the token
// lacks `workflows: write`. It is detected from GitHub's message.
var ErrWorkflows = errors.New("the token may not write workflow files")

// Transient reports whether a request to a remote failed, but may succeed on a retry.
func Transient(err error) bool {
	return git.IsUnanswered(err) && !errors.Is(err, ErrRejected)
}

// MaxTags is the maximum number of tags in a push. If there are more, GitHub creates no events for any of them, and GitLab may start no pipelines.
const MaxTags = 3

// Push pushes a commit to a branch (unless branch is "") and tags to a remote, atomically. If the remote rejects the push, the error wraps
// ErrRejected. If the remote has several push URLs, the push is atomic for each URL. If the state behind any URL would cause a rejection, nothing is
// pushed to any of them.
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

// Unpush deletes tags from a remote and, unless commit is "", pushes commit to a branch, atomically. The push is rejected if a tag is no longer the
// object in `refs`.
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

// PushOver moves a remote branch from commit `was` to another commit. `was` is "" if the branch must not exist yet. If the branch has moved, nothing
// is pushed, and the error wraps ErrRejected.
func PushOver(ctx context.Context, r *gitrepo.Repo, remote, branch, was, commit string) error {
	ref := "refs/heads/" + branch
	return push(ctx, r, remote, []string{"--force-with-lease=" + ref + ":" + was}, []string{commit + ":" + ref})
}

// exactly lists flags that make git push only the given refs, regardless of settings.
var exactly = []string{"--porcelain", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"}

// OtherTag reports whether the remote's tag and the clone's tag of the same name are different objects. In that case someone else made the remote's
// tag, possibly for the same commit. It returns false if either tag does not exist.
func OtherTag(ctx context.Context, r *gitrepo.Repo, refs Refs, tag string) (bool, error) {
	there := refs.objects[tag]
	if there == "" {
		return false, nil
	}
	here, ok, err := r.Answer(ctx, "rev-parse", "--quiet", "--verify", "--end-of-options", "refs/tags/"+tag)
	if err != nil {
		return false, git.Failure(err, "looking for the tag %s in %s", tag, r.Top)
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
		return r.Refusal(ctx, err, "pushing to %s", remote) // a hook refused, and git pushed nothing
	default:
		err = broken(err, dry)
	}
	return notPushed(err, remote, strings.Join(to, " and "))
}

func notPushed(err error, remote, to string) error {
	if remote != to {
		to = remote + " (" + to + ")"
	}
	return git.Failure(err, "pushing to %s", to)
}

// broken finds out why a push failed without a rejection. It repeats the push as a dry run in the C locale, because the output of the push itself may
// be localized.
func broken(err error, dry func(...string) error) error {
	switch asked := dry("--atomic"); {
	case asked == nil:
		return git.MarkUnanswered(err)
	case dry() == nil && dry("--atomic") != nil:
		return operr.New("allow atomic pushes on the remote (receive.advertiseAtomic), or run `mage version:bump -commit -tag` and push the commit and the tags yourself",
			"the remote does not accept the branch and the tags in one atomic push, and a release must push both together: %w", err)
	case Transient(asked):
		return git.MarkUnanswered(err)
	}
	return err
}

// ofWorkflows reports whether the output contains GitHub's message that a token may not write workflow files.
func ofWorkflows(said string) bool {
	return strings.Contains(said, "refusing to allow") && strings.Contains(said, "without `workflow")
}

// rejected reports whether the output of `git push --porcelain` contains a rejected ref. The words "[rejected]" and "[remote rejected]" are not
// localized.
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
