// Package gitremote lists a remote's refs, fetches from it, and pushes commits and tags to it atomically. Its errors distinguish a remote that failed
// to respond, for which a retry may help (Transient), from a remote that rejects a push (ErrRejected).
//
//	remote.go    push URLs, refs and fetches
//	push.go      pushes, and the reasons why they fail
//
// Package gitrepo/internal/git runs the git commands, and handles prompts and timeouts.
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

// ErrNoRemote means that the clone has no remote with the given name.
var ErrNoRemote = errors.New("no such remote")

// Refs holds a remote's branches and tags.
type Refs struct {
	Default  string            // default branch, or "" if the remote reports none
	Branches map[string]string // commit hashes, keyed by branch name
	Tags     map[string]string // commit hashes, keyed by tag name
	objects  map[string]string // hashes of tag objects (of commits for lightweight tags), keyed by tag name
}

// URL returns a remote's push URL, after the user's insteadOf substitutions. If there are several, it returns the first. If the remote does not
// exist, the error wraps ErrNoRemote.
func URL(ctx context.Context, r *gitrepo.Repo, remote string) (string, error) {
	all, err := addresses(ctx, r, remote)
	if err != nil {
		return "", err
	}
	return all[0], nil
}

// addresses returns all push URLs of a remote. If there is no remote with that name and the name looks like a URL, it returns the name itself.
func addresses(ctx context.Context, r *gitrepo.Repo, remote string) ([]string, error) {
	if strings.HasPrefix(remote, "-") {
		return nil, operr.New("set `remote` in [tool.release] to another remote", "%q cannot be a remote, because it begins with a dash, like an option", remote)
	}
	out, err := r.Ask(ctx, "remote", "get-url", "--push", "--all", "--", remote)
	if err == nil && out != "" {
		return refuseOptions(remote, strings.Split(out, "\n"))
	}
	names, namesErr := r.Ask(ctx, "remote")
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case namesErr != nil:
		return nil, git.Failure(namesErr, "asking git for the remotes of %s", r.Top)
	case slices.Contains(strings.Split(names, "\n"), remote):
		return nil, git.Failure(err, "asking git for the address of the remote %s", remote)
	case strings.ContainsAny(remote, ":/"):
		return []string{remote}, nil
	}
	return nil, operr.New("`git remote add "+operr.Word(remote)+" URL`, or set `remote` in [tool.release] to another remote", "there is no remote %s%w", remote, git.Silent(ErrNoRemote))
}

// refuseOptions returns an error if git, or a program that it starts, could parse a URL as an option, as ssh does with a host name.
func refuseOptions(remote string, addresses []string) ([]string, error) {
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
			return nil, operr.New("correct the address with `git remote set-url "+operr.Word(remote)+" URL`", "the address of the remote %s cannot be %q: git or ssh would read it as an option, because it begins with a dash", remote, a)
		}
	}
	return addresses, nil
}

// source returns the remote or URL from which git reads the refs of the push target, and the required settings. It is the remote itself, unless
// pushes go to a different URL (pushurl, pushInsteadOf).
func source(ctx context.Context, r *gitrepo.Repo, remote string) (from string, settings []string, err error) {
	to, err := addresses(ctx, r, remote)
	if err != nil || to[0] == remote {
		return remote, nil, err
	}
	read, err := r.Ask(ctx, "remote", "get-url", "--", remote)
	if err != nil {
		return "", nil, git.Failure(err, "asking git for the address of the remote %s", remote)
	}
	if read == to[0] {
		return remote, nil, nil
	}
	if strings.Contains(to[0], "=") { // a settings key cannot contain "="
		return to[0], nil, nil
	}
	return pushes, []string{"url." + to[0] + ".insteadOf=" + pushes}, nil
}

// pushes stands for the push URL in a git command. The URL is the result of insteadOf substitutions, and must not be substituted again.
const pushes = "where-pushes-go:"

// sourceName returns the remote or URL in a result of source, for display.
func sourceName(from string, settings []string) string {
	if len(settings) == 0 {
		return from
	}
	return strings.TrimSuffix(strings.TrimPrefix(settings[0], "url."), ".insteadOf="+pushes)
}

// Read lists the branches and tags of a remote. If pushes go to a different URL, it lists the refs there.
func Read(ctx context.Context, r *gitrepo.Repo, remote string) (Refs, error) {
	refs := Refs{Branches: map[string]string{}, Tags: map[string]string{}, objects: map[string]string{}}
	from, settings, err := source(ctx, r, remote)
	if err != nil {
		return refs, err
	}
	out, err := r.Talk(ctx, git.Call{Args: []string{"ls-remote", "--symref", "--", from, "HEAD", "refs/heads/*", "refs/tags/*"}, Settings: settings})
	if err != nil {
		return refs, operr.New("check whether `git ls-remote "+operr.Word(sourceName(from, settings))+"` works", "asking the remote %s: %w", remote, err)
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
			refs.Tags[tag] = hash // the line with the commit follows the line with the tag object
			if !peeled {
				refs.objects[tag] = hash
			}
		}
	}
	return refs, nil
}

// Fetch fetches the remote's branches and the given tags. It does not change local branches and existing tags.
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
		return operr.New("run `git fetch "+operr.Word(sourceName(from, settings))+" --tags`", "fetching from %s: %w", remote, err)
	}
	return nil
}
