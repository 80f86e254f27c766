// Package gitremote asks a remote what it has, fetches from it, and pushes commits and tags to it, all or nothing. What went wrong is told
// apart: a remote that did not answer and may (Transient), and one that refuses (ErrRejected).
//
//	remote.go    where pushes go, what the remote has, and what is fetched
//	push.go      pushes, and why one failed
//
// How a conversation with a remote is run, who may be asked meanwhile, and how long it may take is known by gitrepo/internal/git.
package gitremote

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ErrNoRemote is in the chain where a clone has no remote of a name.
var ErrNoRemote = errors.New("no such remote")

// Refs is what a remote has.
type Refs struct {
	Default  string            // its default branch; "" where it names none
	Branches map[string]string // commit by name
	Tags     map[string]string // commit by name
	objects  map[string]string // tag object, or the commit of a light one, by tag name
}

// URL returns the address that a push to a remote goes to, with what a person has git put in its place (insteadOf); the
// first, where there are several. ErrNoRemote is in the chain of the error where there is no such remote.
func URL(ctx context.Context, r *gitrepo.Repo, remote string) (string, error) {
	all, err := addresses(ctx, r, remote)
	if err != nil {
		return "", err
	}
	return all[0], nil
}

// addresses are all that a push to a remote goes to. What is not the name of a remote is an address itself.
func addresses(ctx context.Context, r *gitrepo.Repo, remote string) ([]string, error) {
	if strings.HasPrefix(remote, "-") {
		return nil, operr.New("name another one as remote in [tool.release]", "%q cannot be a remote: it begins with a dash, as options do", remote)
	}
	out, err := r.Ask(ctx, "remote", "get-url", "--push", "--all", "--", remote)
	if err == nil && out != "" {
		return notOptions(remote, strings.Split(out, "\n"))
	}
	names, namesErr := r.Ask(ctx, "remote")
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case namesErr != nil:
		return nil, git.Failed(namesErr, "asking git for the remotes of %s", r.Top)
	case slices.Contains(strings.Split(names, "\n"), remote):
		return nil, git.Failed(err, "asking git for the address of the remote %s", remote)
	case strings.ContainsAny(remote, ":/"):
		return []string{remote}, nil
	}
	return nil, operr.New("`git remote add "+operr.Word(remote)+" URL`, or name another one as remote in [tool.release]", "there is no remote %s%w", remote, git.Silent(ErrNoRemote))
}

// notOptions refuses addresses that a program behind git could take for an option, as ssh does for a host.
func notOptions(remote string, addresses []string) ([]string, error) {
	for _, a := range addresses {
		host := a
		if _, behind, ok := strings.Cut(a, "://"); ok {
			host, _, _ = strings.Cut(behind, "/")
		} else if before, _, ok := strings.Cut(a, ":"); ok {
			host = before
		}
		if _, behind, ok := strings.Cut(host, "@"); ok && !strings.HasPrefix(host, "-") {
			host = behind
		}
		if strings.HasPrefix(a, "-") || strings.HasPrefix(host, "-") {
			return nil, operr.New("correct it: `git remote set-url "+operr.Word(remote)+" URL`", "the address of the remote %s cannot be %q: what begins with a dash is an option to git, or to ssh", remote, a)
		}
	}
	return addresses, nil
}

// source is what git is to read where a push to a remote goes, and the settings that it needs for that: the remote itself,
// unless pushes go elsewhere (pushurl, pushInsteadOf).
func source(ctx context.Context, r *gitrepo.Repo, remote string) (from string, settings []string, err error) {
	to, err := addresses(ctx, r, remote)
	if err != nil || to[0] == remote {
		return remote, nil, err
	}
	read, err := r.Ask(ctx, "remote", "get-url", "--", remote)
	if err != nil {
		return "", nil, git.Failed(err, "asking git for the address of the remote %s", remote)
	}
	if read == to[0] {
		return remote, nil, nil
	}
	if strings.Contains(to[0], "=") { // which would end the key
		return to[0], nil, nil
	}
	return pushes, []string{"url." + to[0] + ".insteadOf=" + pushes}, nil
}

// pushes stands for an address that is the result of what a person has git put in the place of others, and has nothing put
// in its own place.
const pushes = "where-pushes-go:"

// named is what a person reads of what source returned.
func named(from string, settings []string) string {
	if len(settings) == 0 {
		return from
	}
	return strings.TrimSuffix(strings.TrimPrefix(settings[0], "url."), ".insteadOf="+pushes)
}

// Read asks a remote for its branches and tags: where pushes to it go.
func Read(ctx context.Context, r *gitrepo.Repo, remote string) (Refs, error) {
	refs := Refs{Branches: map[string]string{}, Tags: map[string]string{}, objects: map[string]string{}}
	from, settings, err := source(ctx, r, remote)
	if err != nil {
		return refs, err
	}
	out, err := r.Talk(ctx, git.Call{Args: []string{"ls-remote", "--symref", "--", from, "HEAD", "refs/heads/*", "refs/tags/*"}, Settings: settings})
	if err != nil {
		return refs, operr.New("see whether `git ls-remote "+operr.Word(named(from, settings))+"` answers", "asking the remote %s: %w", remote, err)
	}
	for line := range strings.SplitSeq(out, "\n") {
		hash, name, _ := strings.Cut(line, "\t")
		switch {
		case strings.HasPrefix(hash, "ref: ") && name == "HEAD":
			refs.Default = strings.TrimPrefix(hash, "ref: refs/heads/")
		case strings.HasPrefix(name, "refs/heads/"):
			refs.Branches[strings.TrimPrefix(name, "refs/heads/")] = hash
		case strings.HasPrefix(name, "refs/tags/"):
			tag, peeled := strings.CutSuffix(strings.TrimPrefix(name, "refs/tags/"), "^{}")
			refs.Tags[tag] = hash // the peeled one comes behind the object
			if !peeled {
				refs.objects[tag] = hash
			}
		}
	}
	return refs, nil
}

// Fetch brings what the remote has of its branches, and the tags named, here; branches and tags of the clone stay.
func Fetch(ctx context.Context, r *gitrepo.Repo, remote string, tags ...string) error {
	from, settings, err := source(ctx, r, remote)
	if err != nil {
		return err
	}
	args := []string{
		"fetch", "--quiet", "--no-tags", "--no-prune", "--no-prune-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head",
		"--", from, "+refs/heads/*:refs/remotes/" + remote + "/*",
	}
	for _, t := range tags {
		args = append(args, "refs/tags/"+t+":refs/tags/"+t)
	}
	if _, err := r.Talk(ctx, git.Call{Args: args, Settings: settings}); err != nil {
		return operr.New("run `git fetch "+operr.Word(named(from, settings))+" --tags`", "fetching from %s: %w", remote, err)
	}
	return nil
}
