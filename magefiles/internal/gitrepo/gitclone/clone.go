// Package gitclone makes a clone of a commit in a separate folder, for a build, a check or a rehearsal. The clone gets the filters and the
// submodules that this machine has. The user's git settings do not affect it.
//
//	clone.go export.go filters.go    writing a commit to a folder, as a clone or as plain files
//	renew.go        reusing a clone
//	submodules.go submodulefetch.go  the clone's submodules, from this machine or from their remotes
//	tagged.go settled.go    the tags that a build sees in the clone, and hiding a build's own changes
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

// fromHere are the settings for cloning a repository on this machine. They disable object checks, because an old history may contain objects that git
// would refuse to fetch from a remote.
var fromHere = []string{"protocol.file.allow=always", "transfer.fsckObjects=false", "fetch.fsckObjects=false"}

// clone runs git clone for a commit that the caller will check out. It ignores the user's settings, hooks and templates. The clone borrows all
// objects, unless the original is a partial or a shallow clone.
func clone(ctx context.Context, r *gitrepo.Repo, commit, from, to string) error {
	c := git.Call{Args: []string{"clone", "--quiet", "--template=", "--origin=origin", "--no-checkout"}, Settings: fromHere}
	for _, s := range git.AsCommitted {
		c.Args = append(c.Args, "--config="+s)
	}
	partial, err := fetchMissing(ctx, r, commit)
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

// nowhere is the push URL of a clone. It is invalid, so that a build cannot push to the original by accident.
const nowhere = "file://" + os.DevNull + "/a-build-does-not-push"

// uploadPartial is the upload-pack command for cloning a partial clone. It allows filters, and fetching any object by hash.
const uploadPartial = "git -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=true upload-pack"

// fetchMissing fetches the objects of a commit that a partial clone lacks. It returns the flags for a clone that is equally partial, because git
// cannot clone objects that the original lacks. If the original may lack trees, the clone must be shallow. In a full clone it does nothing.
func fetchMissing(ctx context.Context, r *gitrepo.Repo, commit string) (flags []string, err error) {
	out, partial, err := r.Answer(ctx, "config", "--get-regexp", `^remote\..*\.partialclonefilter$`)
	if err != nil || !partial {
		return nil, err
	}
	first, _, _ := strings.Cut(out, "\n")
	key, filter, _ := strings.Cut(first, " ")
	remote := strings.TrimSuffix(strings.TrimPrefix(key, "remote."), ".partialclonefilter")
	for range 3 { // the objects in a tree become known only after the tree was fetched
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
		return nil, operr.New("check that "+remote+" answers, or fetch the whole history with `git fetch --refetch --no-filter "+operr.Word(remote)+"`",
			"this is a partial clone, and its missing objects cannot be fetched from %s: %w", remote, err)
	}
	if strings.HasPrefix(filter, "blob:") {
		return []string{"--filter=blob:none"}, nil
	}
	return []string{"--depth=1"}, nil
}

// missing returns the hashes of a commit's objects that the clone lacks, one per line.
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

// Lend lets a bare repository of ours read objects directly from r, so that a push from r or from a clone of r sends no objects. Like a clone made by
// Borrow, the bare repository is usable only while r exists. Shallow, partial and borrowing clones do not lend, because the objects that they lack
// would then not be sent by anyone.
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

// Borrow clones r to dir, which must not exist, and checks out a commit there, detached, with the submodules that this machine has. The clone borrows
// r's objects, so the length of the history does not matter. It is usable only while r keeps these objects.
func Borrow(ctx context.Context, r *gitrepo.Repo, dir, commit string) error {
	err := clone(ctx, r, commit, r.Top, dir)
	if err == nil {
		clone := gitrepo.At(r.Runner, dir)
		if here, askErr := clone.Contains(ctx, commit, commit); askErr == nil && !here { // true if the original is shallow
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
		return git.Failure(err, "cloning %s at %s", r.Top, git.Short(commit))
	}
	return Fill(ctx, r, dir)
}
