// Package gitclone makes a clone of a commit in a folder of its own, which a build, a check or a rehearsal works in: with the filters and the
// submodules that this machine has, and by no setting of the person.
//
//	clone.go export.go filters.go    a commit in a folder, as a clone and as files alone
//	renew.go        a clone that is used again
//	submodules.go submodulefetch.go  the submodules in it: from this machine, or from where they come from
//	tagged.go settled.go    the tags that a build sees in it, and changes that it does not see
package gitclone

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// fromHere are the settings under which a clone is made of a repository of this machine. What it has is not judged by them: a
// history may have old faults that git would refuse from elsewhere.
var fromHere = []string{"protocol.file.allow=always", "transfer.fsckObjects=false", "fetch.fsckObjects=false"}

// clone runs git clone from one folder to another, for a commit that is to be checked out: no setting of the person has a say in it, and no hook and no
// template comes along. It has no objects of its own, unless the original is a partial or a shallow one.
func clone(ctx context.Context, r *gitrepo.Repo, commit, from, to string) error {
	c := git.Call{Args: []string{"clone", "--quiet", "--template=", "--origin=origin", "--no-checkout"}, Settings: fromHere}
	for _, s := range git.AsCommitted {
		c.Args = append(c.Args, "--config="+s)
	}
	partial, err := whole(ctx, r, commit)
	if err != nil {
		return err
	}
	c.Args = append(c.Args, "--config=remote.origin.pushurl="+nowhere)
	if partial == nil {
		c.Args = append(c.Args, "--shared")
	} else {
		c.Args = append(c.Args, "--no-local")
	}
	if c.Args = append(c.Args, partial...); partial != nil {
		c.Args = append(c.Args, "--upload-pack="+uploadPartial, "--config=remote.origin.uploadpack="+uploadPartial)
	}
	if allowed, ok := command.Getenv(r.Environ(nil), "GIT_ALLOW_PROTOCOL"); ok {
		c.Set = []string{"GIT_ALLOW_PROTOCOL=" + allowed + ":file"}
	}
	c.Args = append(c.Args, "--", from, to)
	_, err = r.Call(ctx, c)
	return err
}

// nowhere is where a push from a clone that is built from goes: what a build does is not to come to the original by itself.
const nowhere = "file://" + os.DevNull + "/a-build-does-not-push"

// uploadPartial lets a clone of a partial clone get what it asks for from that, and no more.
const uploadPartial = "git -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=true upload-pack"

// whole fetches what a partial clone lacks of a commit, and returns the flags that make a clone of it as partial: the clone cannot
// get what the original does not have. Where that is trees, the clone is a shallow one. In a whole clone, as most are, there
// is nothing to do.
func whole(ctx context.Context, r *gitrepo.Repo, commit string) (flags []string, err error) {
	out, partial, err := r.Answer(ctx, "config", "--get-regexp", `^remote\..*\.partialclonefilter$`)
	if err != nil || !partial {
		return nil, err
	}
	first, _, _ := strings.Cut(out, "\n")
	key, filter, _ := strings.Cut(first, " ")
	remote := strings.TrimSuffix(strings.TrimPrefix(key, "remote."), ".partialclonefilter")
	for range 3 { // what a tree holds is known when it is there
		var lacks string
		if lacks, err = missing(ctx, r, commit); err != nil || lacks == "" {
			break
		}
		_, err = r.Talk(ctx, git.Call{
			Args: []string{
				"fetch", "--quiet", "--no-tags", "--no-prune", "--no-prune-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--filter=blob:none", "--stdin", "--", remote,
			},
			Stdin:    lacks,
			Settings: []string{"fetch.negotiationAlgorithm=noop"},
		})
		if err != nil {
			break
		}
	}
	if err != nil {
		return nil, operr.New("see that "+remote+" answers, or make the clone a whole one: `git fetch --refetch --no-filter "+operr.Word(remote)+"`",
			"this is a partial clone, and what it lacks cannot be fetched from %s: %w", remote, err)
	}
	if strings.HasPrefix(filter, "blob:") {
		return []string{"--filter=blob:none"}, nil
	}
	return []string{"--depth=1"}, nil
}

// missing are the objects of a commit that are not here, a line each.
func missing(ctx context.Context, r *gitrepo.Repo, commit string) (string, error) {
	out, err := r.Ask(ctx, "rev-list", "--objects", "--no-walk", "--missing=print", "--end-of-options", commit, "--")
	var list strings.Builder
	for line := range strings.SplitSeq(out, "\n") {
		if object, lacks := strings.CutPrefix(line, "?"); lacks {
			list.WriteString(object + "\n")
		}
	}
	return list.String(), err
}

// Lend has a repository of ours without objects, bare, read those of r where they lie: what is pushed there from r, or from a clone of it, is not sent. It is
// of use for as long as one that Borrow makes. Nothing is lent by a shallow or a partial clone, nor by one that borrows itself, since what these lack would not be asked for.
func Lend(r *gitrepo.Repo, bare string) error {
	objects := filepath.Join(r.Common, "objects")
	packs, err := os.ReadDir(filepath.Join(objects, "pack"))
	if err != nil || slices.ContainsFunc(packs, func(e fs.DirEntry) bool { return filepath.Ext(e.Name()) == ".promisor" }) {
		return err
	}
	for _, name := range []string{"shallow", "objects/info/alternates"} {
		if _, err := os.Lstat(filepath.Join(r.Common, name)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.WriteFile(filepath.Join(bare, "objects", "info", "alternates"), []byte(objects+"\n"), 0o644)
}

// Borrow makes a clone of a commit in dir, which must not exist, and checks it out there, on no branch, with the submodules
// that this machine has. It reads the objects that lie in the original: it is made in no time, however long the history is, and is of use only for as long
// as the original is as it was.
func Borrow(ctx context.Context, r *gitrepo.Repo, dir, commit string) error {
	err := clone(ctx, r, commit, r.Top, dir)
	if err == nil {
		clone := gitrepo.At(r.Runner, dir)
		if here, askErr := clone.Contains(ctx, commit, commit); askErr == nil && !here { // a shallow one
			_, err = clone.Talk(ctx, git.Call{Args: []string{"fetch", "--quiet", "--no-tags", "--depth=1", "--", "origin", commit}, Settings: fromHere})
		}
		if err == nil {
			err = carry(ctx, r, r.Common, dir)
		}
		if err == nil {
			err = checkOut(ctx, clone, commit)
		}
	}
	if err != nil {
		return git.Failed(err, "cloning %s at %s", r.Top, git.Short(commit))
	}
	return Fill(ctx, r, dir)
}
