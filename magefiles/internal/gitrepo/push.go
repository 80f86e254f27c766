package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ErrRejected is in the chain when a remote took nothing of a push because of what it has, or of its rules.
var ErrRejected = errors.New("rejected")

// Push sends a commit to a branch, and tags, to a remote: all or nothing. What was rejected is ErrRejected. Where a push to
// the remote goes to several addresses, it is all or nothing at each, and none is sent anything that another one would refuse
// for what it has.
func (r *Repo) Push(ctx context.Context, remote, commit, branch string, tags ...string) error {
	refs := []string{commit + ":refs/heads/" + branch}
	for _, t := range tags {
		refs = append(refs, "refs/tags/"+t+":refs/tags/"+t)
	}
	return r.push(ctx, remote, nil, refs)
}

// Unpush takes tags away from a remote and, unless the commit is "", sends it to a branch, all or nothing, and only if the tags
// are still what refs says.
func (r *Repo) Unpush(ctx context.Context, remote string, refs Refs, commit, branch string, tags ...string) error {
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
	return r.push(ctx, remote, leases, specs)
}

// exactly are the flags that make git push what it is told, and nothing that settings add to it.
var exactly = []string{"--porcelain", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"}

// OtherTag reports whether a tag of a remote is another object than the one that this clone has under that name: then somebody else
// has made it, be it of the same commit. A tag that is not in both does not differ.
func (r *Repo) OtherTag(ctx context.Context, refs Refs, tag string) (bool, error) {
	there := refs.objects[tag]
	if there == "" {
		return false, nil
	}
	here, ok, err := r.answer(ctx, "rev-parse", "--quiet", "--verify", "--end-of-options", "refs/tags/"+tag)
	if err != nil {
		return false, failed(err, "looking for the tag %s in %s", tag, r.Top)
	}
	return ok && here != there, nil
}

func (r *Repo) push(ctx context.Context, remote string, flags, refs []string) error {
	to, err := r.addresses(ctx, remote)
	if err != nil {
		return err
	}
	c := call{own: true, porcelain: true, settings: []string{"push.pushOption=", "push.negotiate=false"}}
	if !strings.Contains(remote, "=") {
		c.settings = append(c.settings, "remote."+remote+".mirror=false")
	}
	arguments := func(more ...string) []string {
		return slices.Concat([]string{"push"}, exactly, flags, more, []string{"--", remote}, refs)
	}
	dry := func(more ...string) error {
		asked := call{args: arguments(append(more, "--dry-run", "--no-verify")...), settings: c.settings}
		_, err := r.talk(ctx, asked)
		return err
	}
	if len(to) > 1 {
		if err := dry("--atomic"); err != nil {
			return r.notPushed(err, remote, strings.Join(to, " and "))
		}
	}
	c.args = arguments("--atomic")
	out, err := r.talk(ctx, c)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.Is(err, errSilent):
	case rejected(out):
		err = fmt.Errorf("%w: %w", ErrRejected, err)
	case ended(err) == 1 && !slices.ContainsFunc(strings.Split(out, "\n"), func(line string) bool { return flag(line) == "!" }):
		return r.refused(ctx, err, "pushing to %s", remote) // a hook: nothing was said to the remote
	default:
		err = broken(err, dry)
	}
	return r.notPushed(err, remote, strings.Join(to, " and "))
}

func (r *Repo) notPushed(err error, remote, to string) error {
	if remote != to {
		to = remote + " (" + to + ")"
	}
	return failed(err, "pushing to %s", to)
}

// broken finds out why the conversation of a push ended before its end. That is asked by a push that sends nothing, since the
// push itself has spoken the person's language.
func broken(err error, dry func(...string) error) error {
	switch asked := dry("--atomic"); {
	case asked == nil:
		return unanswered{error: err}
	case dry() == nil && dry("--atomic") != nil:
		return operr.New("allow it there (receive.advertiseAtomic), or tag and push by hand: `mage version:bump -commit -tag`",
			"the remote does not take branch and tags at once (--atomic), and one without the other is half a release: %w", err)
	case Transient(asked):
		return unanswered{error: err}
	}
	return err
}

// rejected says whether the output of git push --porcelain tells of a ref that was rejected by the remote, or because of what
// it has. The words are of the format, in any language.
func rejected(out string) bool {
	for line := range strings.Lines(out) {
		_, rest, _ := strings.Cut(line, "\t")
		_, summary, _ := strings.Cut(rest, "\t")
		if flag(line) == "!" && (strings.HasPrefix(summary, "[rejected]") || strings.HasPrefix(summary, "[remote rejected]")) {
			return true
		}
	}
	return false
}

// flag is that of a line of git push --porcelain about one ref; "" for any other line.
func flag(line string) string {
	flag, rest, _ := strings.Cut(line, "\t")
	if len(flag) != 1 || !strings.Contains(rest, "\t") {
		return ""
	}
	return flag
}

// goesWell says whether a line of git push --porcelain says nothing of what went wrong.
func goesWell(line string) bool {
	f := flag(line)
	return f != "" && f != "!" || strings.HasPrefix(line, "To ") || line == "Done\n"
}

// DeleteTag removes a tag from the clone.
func (r *Repo) DeleteTag(ctx context.Context, name string) error {
	if err := r.run(ctx, "", "tag", "--delete", "--", name); err != nil {
		return r.refused(ctx, err, "removing the tag %s", name)
	}
	return nil
}

// Back takes branch and work tree back to a commit. What is not committed stays, or, where it is in the way, all does.
func (r *Repo) Back(ctx context.Context, commit string) error {
	if err := noOption(commit); err != nil {
		return err
	}
	_, err := r.call(ctx, call{args: []string{"reset", "--quiet", "--keep", "--no-recurse-submodules", commit}, own: true, asks: true, settings: harmless})
	if err != nil {
		return r.refused(ctx, err, "going back to %s", short(commit))
	}
	return nil
}

// Revert makes a commit that takes another one back, and returns it. Where that fails, whoever refused it, index and work tree are as before:
// git itself leaves the files taken back, and no commit. What a run that was killed has left so is put away first.
func (r *Repo) Revert(ctx context.Context, commit string) (string, error) {
	if err := noOption(commit); err != nil {
		return "", err
	}
	settings := slices.Concat(harmless, []string{
		"revert.reference=false", "rerere.enabled=false", "merge.renames=true", "merge.directoryRenames=conflict", "merge.renormalize=false", "commit.verbose=false",
	})
	clean, err := r.indexIs(ctx, "HEAD")
	if err == nil && !clean {
		clean, err = r.unrevert(ctx, commit)
	}
	if err != nil {
		return "", failed(err, "looking at the index of %s", r.Top)
	}
	if _, err := r.call(ctx, call{args: []string{"revert", "--no-edit", commit}, own: true, asks: true, settings: settings}); err != nil {
		after := context.WithoutCancel(ctx)
		_ = r.run(after, "", "revert", "--abort") // it may not have begun
		if clean {                                // else what is staged is somebody's, and git has refused to touch it
			_ = r.asCommitted(after)
		}
		return "", r.refused(ctx, err, "reverting %s", short(commit))
	}
	return r.Resolve(ctx, "HEAD")
}

// indexIs says whether the index has what a commit has.
func (r *Repo) indexIs(ctx context.Context, commit string) (bool, error) {
	_, is, err := r.answer(ctx, "diff-index", "--cached", "--quiet", commit, "--")
	return is, err
}

// unrevert puts away what a revert of the last commit has left that was killed before it was committed: the index is that of the commit
// before, which holds it. It is no loss, then.
func (r *Repo) unrevert(ctx context.Context, commit string) (done bool, err error) {
	hash, err := r.Resolve(ctx, commit)
	if err != nil {
		return false, err
	}
	head, err := r.Resolve(ctx, "HEAD")
	if err != nil || head != hash {
		return false, err
	}
	parent, err := r.Parent(ctx, hash)
	if err != nil || parent == "" {
		return false, err
	}
	if left, err := r.indexIs(ctx, parent); err != nil || !left {
		return false, err
	}
	return true, r.asCommitted(ctx)
}

// asCommitted has the index, and the files that it differs in, as the last commit has them. What is changed and not staged stays.
func (r *Repo) asCommitted(ctx context.Context) error {
	_, err := r.call(ctx, call{args: []string{"reset", "--quiet", "--merge", "--no-recurse-submodules", "HEAD"}, own: true, settings: harmless})
	return err
}
