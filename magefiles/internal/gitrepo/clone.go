package gitrepo

import (
	"context"
	"os"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// asCommitted are the settings of a clone of ours. They stay in it, for what runs git there: a file has the bytes of the
// commit, or those that the repository's own attributes ask for.
var asCommitted = []string{"core.autocrlf=false", "core.eol=lf", "core.attributesFile=" + os.DevNull}

// fromHere are the settings under which a clone is made of a repository of this machine. What it has is not judged by them: a
// history may have old faults that git would refuse from elsewhere.
var fromHere = []string{"protocol.file.allow=always", "transfer.fsckObjects=false", "fetch.fsckObjects=false"}

// clone runs git clone from one folder to another, for a commit that is to be checked out: no setting of the person has a say in it, and no hook and no
// template comes along. One that borrows has no objects of its own, unless the original is a partial or a shallow one.
func (r *Repo) clone(ctx context.Context, commit string, borrow bool, from, to string) error {
	c := call{args: []string{"clone", "--quiet", "--template=", "--origin=origin", "--no-checkout"}, settings: fromHere}
	for _, s := range asCommitted {
		c.args = append(c.args, "--config="+s)
	}
	partial, err := r.whole(ctx, commit)
	if err != nil {
		return err
	}
	if borrow {
		c.args = append(c.args, "--config=remote.origin.pushurl="+nowhere)
	}
	if borrow && partial == nil {
		c.args = append(c.args, "--shared")
	} else {
		c.args = append(c.args, "--no-local")
	}
	if c.args = append(c.args, partial...); partial != nil {
		c.args = append(c.args, "--upload-pack="+uploadPartial, "--config=remote.origin.uploadpack="+uploadPartial)
	}
	if allowed, ok := command.Getenv(r.environ(nil), "GIT_ALLOW_PROTOCOL"); ok {
		c.set = []string{"GIT_ALLOW_PROTOCOL=" + allowed + ":file"}
	}
	c.args = append(c.args, "--", from, to)
	_, err = r.call(ctx, c)
	return err
}

// nowhere is where a push from a clone that is built from goes: what a build does is not to come to the original by itself.
const nowhere = "file://" + os.DevNull + "/a-build-does-not-push"

// uploadPartial lets a clone of a partial clone get what it asks for from that, and no more.
const uploadPartial = "git -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=true upload-pack"

// whole fetches what a partial clone lacks of a commit, and returns the flags that make a clone of it as partial: the clone cannot
// get what the original does not have. Where that is trees, the clone is a shallow one. In a whole clone, as most are, there
// is nothing to do.
func (r *Repo) whole(ctx context.Context, commit string) (flags []string, err error) {
	out, partial, err := r.answer(ctx, "config", "--get-regexp", `^remote\..*\.partialclonefilter$`)
	if err != nil || !partial {
		return nil, err
	}
	first, _, _ := strings.Cut(out, "\n")
	key, filter, _ := strings.Cut(first, " ")
	remote := strings.TrimSuffix(strings.TrimPrefix(key, "remote."), ".partialclonefilter")
	for range 3 { // what a tree holds is known when it is there
		var missing string
		if missing, err = r.missing(ctx, commit); err != nil || missing == "" {
			break
		}
		_, err = r.talk(ctx, call{
			args: []string{
				"fetch", "--quiet", "--no-tags", "--no-prune", "--no-prune-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--filter=blob:none", "--stdin", "--", remote,
			},
			stdin:    missing,
			settings: []string{"fetch.negotiationAlgorithm=noop"},
		})
		if err != nil {
			break
		}
	}
	if err != nil {
		return nil, operr.New("see that "+remote+" answers, or make the clone a whole one: `git fetch --refetch --no-filter "+remote+"`",
			"this is a partial clone, and what it lacks cannot be fetched from %s: %w", remote, err)
	}
	if strings.HasPrefix(filter, "blob:") {
		return []string{"--filter=blob:none"}, nil
	}
	return []string{"--depth=1"}, nil
}

// missing are the objects of a commit that are not here, a line each.
func (r *Repo) missing(ctx context.Context, commit string) (string, error) {
	out, err := r.git(ctx, "rev-list", "--objects", "--no-walk", "--missing=print", "--end-of-options", commit, "--")
	var missing strings.Builder
	for line := range strings.SplitSeq(out, "\n") {
		if object, lacks := strings.CutPrefix(line, "?"); lacks {
			missing.WriteString(object + "\n")
		}
	}
	return missing.String(), err
}

// CloneAt makes a clone of a commit in dir, which must not exist, and checks it out there, on no branch, with the submodules
// that this machine has. It shares no file with the original.
func (r *Repo) CloneAt(ctx context.Context, dir, commit string) error {
	return r.cloneAt(ctx, dir, commit, false)
}

// Borrow is CloneAt for a clone that is of use only for as long as the original is as it was: it reads the objects that lie
// there. It is made in no time, however long the history is.
func (r *Repo) Borrow(ctx context.Context, dir, commit string) error {
	return r.cloneAt(ctx, dir, commit, true)
}

func (r *Repo) cloneAt(ctx context.Context, dir, commit string, borrow bool) error {
	err := r.clone(ctx, commit, borrow, r.Top, dir)
	if err == nil {
		clone := &Repo{Top: dir, runner: r.runner}
		if here, askErr := clone.Contains(ctx, commit, commit); askErr == nil && !here { // a shallow one
			_, err = clone.talk(ctx, call{args: []string{"fetch", "--quiet", "--no-tags", "--depth=1", "--", "origin", commit}, settings: fromHere})
		}
		if err == nil {
			err = r.carry(ctx, r.Common, dir)
		}
		if err == nil {
			err = clone.checkOut(ctx, commit)
		}
	}
	if err != nil {
		return failed(err, "cloning %s at %s", r.Top, short(commit))
	}
	return r.Fill(ctx, dir)
}
