package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ErrRejected is in the chain when a remote took nothing of a push because of what it has, or of its rules.
var ErrRejected = errors.New("rejected")

// Refs is what a remote has.
type Refs struct {
	Default  string            // its default branch; "" where it names none
	Branches map[string]string // commit by name
	Tags     map[string]string // commit by name
	objects  map[string]string // tag object, or the commit of a light one, by tag name
}

// URL returns the address of a remote, as it is configured.
func (r *Repo) URL(ctx context.Context, remote string) (string, error) {
	url, err := r.git(ctx, "config", "--get", "remote."+remote+".url")
	if err != nil {
		return "", sentence(err, "", "`git remote add "+remote+" URL`, or name another one as remote in [tool.release]", "there is no remote "+remote)
	}
	return url, nil
}

// Remote asks a remote for its branches and tags.
func (r *Repo) Remote(ctx context.Context, remote string) (Refs, error) {
	refs := Refs{Branches: map[string]string{}, Tags: map[string]string{}, objects: map[string]string{}}
	out, err := r.talk(ctx, "ls-remote", "--symref", remote, "HEAD", "refs/heads/*", "refs/tags/*")
	if err != nil {
		if _, none := r.URL(ctx, remote); none != nil && ctx.Err() == nil && !strings.ContainsAny(remote, ":/") { // an address is no name
			return refs, none
		}
		return refs, operr.New("see whether `git ls-remote "+remote+"` answers", "asking the remote %s: %w", remote, err)
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

// Push sends a commit to a branch, and tags, to a remote: all or nothing. What was rejected is ErrRejected.
func (r *Repo) Push(ctx context.Context, remote, commit, branch string, tags ...string) error {
	refs := []string{commit + ":refs/heads/" + branch}
	for _, t := range tags {
		refs = append(refs, "refs/tags/"+t+":refs/tags/"+t)
	}
	return r.push(ctx, remote, nil, refs)
}

// Unpush takes tags away from a remote and sends a commit to a branch, all or nothing, and only if the tags are still what
// refs says.
func (r *Repo) Unpush(ctx context.Context, remote string, refs Refs, commit, branch string, tags ...string) error {
	specs := []string{commit + ":refs/heads/" + branch}
	var leases []string
	for _, t := range tags {
		if refs.objects[t] != "" {
			specs = append(specs, ":refs/tags/"+t)
			leases = append(leases, "--force-with-lease=refs/tags/"+t+":"+refs.objects[t])
		}
	}
	return r.push(ctx, remote, leases, specs)
}

func (r *Repo) push(ctx context.Context, remote string, flags, refs []string) error {
	args := slices.Concat([]string{"push", "--atomic", "--porcelain"}, flags, []string{remote}, refs)
	_, err := r.talk(ctx, args...)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if strings.Contains(detail(err), "rejected]") {
		err = errors.Join(ErrRejected, err)
	}
	return operr.New("see what git says above", "pushing to %s: %w", remote, err)
}

// Transient says whether a remote did not answer as it should, and may when it is asked again.
func Transient(err error) bool {
	if err == nil || errors.Is(err, ErrRejected) {
		return false
	}
	said := strings.ToLower(detail(err))
	for _, sign := range []string{
		"could not read from remote", "unexpected disconnect", "hung up", "early eof", "timed out", "connection re",
		"could not resolve", "temporary failure", "unable to access", "rpc failed", "http 5", "error: 5",
	} {
		if strings.Contains(said, sign) {
			return !strings.Contains(said, "denied") && !strings.Contains(said, "does not appear to be a git repository")
		}
	}
	return false
}

func detail(err error) string {
	var told *operr.Error
	for errors.As(err, &told) {
		if told.Detail != "" {
			return told.Detail
		}
		err = told.Err
	}
	return ""
}

// talk runs git with a remote. It asks no questions: a child of ours cannot read from the terminal.
func (r *Repo) talk(ctx context.Context, args ...string) (string, error) {
	var out, said bytes.Buffer
	args = append([]string{"-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"}, args...)
	err := r.runner.Run(ctx, command.Cmd{
		Name: "git", Args: args, Dir: r.Top, Env: r.quiet(ctx), Stdout: &out, Stderr: &said, Gentle: true,
	})
	if err != nil && ctx.Err() == nil {
		err = operr.New("", "%w", err).WithDetail(strings.TrimSpace(said.String() + "\n" + porcelain(out.String())))
	}
	return strings.TrimRight(out.String(), "\n"), err
}

// quiet is the environment in which git and ssh fail where they would ask; nil where the runner does not tell its own.
func (r *Repo) quiet(ctx context.Context) []string {
	runner, ok := r.runner.(interface{ Environ() []string })
	if !ok {
		return nil
	}
	env := command.Setenv(runner.Environ(), "GIT_TERMINAL_PROMPT=0")
	for _, kv := range env {
		if strings.HasPrefix(kv, "GIT_SSH_COMMAND=") || strings.HasPrefix(kv, "GIT_SSH=") {
			return env
		}
	}
	if own, err := command.Output(ctx, r.runner, command.Cmd{Name: "git", Args: []string{"config", "--get", "core.sshCommand"}, Dir: r.Top}); err == nil && own != "" {
		return env
	}
	return command.Setenv(env, "GIT_SSH_COMMAND=ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15")
}

// porcelain keeps the lines of `git push --porcelain` that say what went wrong.
func porcelain(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "!") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

// Contains says whether a commit is one of those that another is made on, or is it. One that is not here is not.
func (r *Repo) Contains(ctx context.Context, commit, ancestor string) bool {
	return r.run(ctx, "", "merge-base", "--is-ancestor", ancestor, commit) == nil
}

// Ahead is the number of commits that one has and another has not.
func (r *Repo) Ahead(ctx context.Context, commit, of string) (int, error) {
	out, err := r.git(ctx, "rev-list", "--count", of+".."+commit, "--")
	if err != nil {
		return 0, operr.New("see what git says there", "comparing %s with %s: %w", commit, of, err)
	}
	return strconv.Atoi(out)
}

// DeleteTag removes a tag from the clone.
func (r *Repo) DeleteTag(ctx context.Context, name string) error {
	if err := r.run(ctx, "", "tag", "--delete", name); err != nil {
		return r.refused(err, "removing the tag %s", name)
	}
	return nil
}

// Back takes branch and work tree back to a commit. What is not committed stays, or, where it is in the way, all does.
func (r *Repo) Back(ctx context.Context, commit string) error {
	if err := r.run(ctx, "", "reset", "--quiet", "--keep", commit); err != nil {
		return r.refused(err, "going back to %s", short(commit))
	}
	return nil
}

// Revert makes a commit that takes another one back, and returns it.
func (r *Repo) Revert(ctx context.Context, commit string) (string, error) {
	if err := r.run(ctx, "", "revert", "--no-edit", commit); err != nil {
		_ = r.run(context.WithoutCancel(ctx), "", "revert", "--abort") // it may not have begun
		return "", r.refused(err, "reverting %s", short(commit))
	}
	return r.Resolve(ctx, "HEAD")
}

func short(commit string) string { return Head{Commit: commit}.Short() }

// Fetch brings what the remote has of its branches, and the tags named, here; branches and tags of the clone stay.
func (r *Repo) Fetch(ctx context.Context, remote string, tags ...string) error {
	args := []string{"fetch", "--quiet", "--no-tags", remote, "+refs/heads/*:refs/remotes/" + remote + "/*"}
	for _, t := range tags {
		args = append(args, "refs/tags/"+t+":refs/tags/"+t)
	}
	if _, err := r.talk(ctx, args...); err != nil {
		return operr.New("run `git fetch "+remote+" --tags`", "fetching from %s: %w", remote, err)
	}
	return nil
}
