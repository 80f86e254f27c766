package standin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/glob"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
)

var wholeHash = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

// checkout is actions/checkout of the run's own repository. It takes a push only where the job may write and the credentials are kept.
func checkout(ctx context.Context, c *runner.Call) error {
	if r := c.Input("repository", c.Repository); !strings.EqualFold(r, c.Repository) {
		return fmt.Errorf("the repository %s is not here: only that of the run is checked out", r)
	}
	depth, err := strconv.Atoi(c.Input("fetch-depth", "1"))
	if err != nil || depth < 0 {
		return fmt.Errorf("fetch-depth is a number, and not %q", c.With["fetch-depth"])
	}
	submodules := submodules(c)
	if c.Grant["contents"] == "" {
		return fmt.Errorf("the job may not read the repository: its permissions lack contents: read")
	}
	dir := c.Path(c.Input("path", "."))
	if !glob.Within(c.Workspace, dir) {
		return fmt.Errorf("path has to be inside of the work folder, and %s is not", c.With["path"])
	}
	if err := empty(c.Workspace, dir); err != nil {
		return err
	}
	ref, commit, err := findCommit(ctx, c, c.Input("ref", ""))
	if err != nil {
		return err
	}
	origin, push := c.Remote, c.Remote
	if !c.Bool("persist-credentials", true) || !c.Grant.Writes("contents") {
		push = nowhere(c)
		if origin, err = readOnly(c); err != nil {
			return err
		}
	}
	for i, args := range append(remotes(origin, push), fetches(depth, c.Bool("fetch-tags", false), ref, commit)...) {
		if i == 1 && depth == 0 { // all of it is on this machine: nothing is copied
			if err := borrow(dir, origin); err != nil {
				return err
			}
		}
		if _, err := git(ctx, c, dir, args...); err != nil {
			return err
		}
	}
	if submodules {
		c.Note("submodules of actions/checkout are those of this clone, as deep as they go")
		if err := c.Submodules(ctx, dir); err != nil {
			return err
		}
	}
	if depth > 0 {
		c.Watch("shallow", c.Problem("fetch-depth", "the checkout has no history (fetch-depth: %d), and a step asks for it: fetch-depth: 0 fetches all", depth))
	}
	c.Say("checked out %s at %s", ref, commit)
	c.Output("ref", ref)
	c.Output("commit", commit)
	return nil
}

// submodules reports whether they are filled. What of the inputs is passed over beside is noted.
func submodules(c *runner.Call) bool {
	fills := strings.EqualFold(c.Input("submodules", ""), "recursive") || c.Bool("submodules", false)
	for key, asked := range map[string]bool{
		"submodules":      fills && c.Submodules == nil,
		"lfs":             c.Bool("lfs", false),
		"sparse-checkout": c.Input("sparse-checkout", "") != "",
		"filter":          c.Input("filter", "") != "",
	} {
		if asked {
			c.Note("%s of actions/checkout is passed over: the files are those that git has without it", key)
		}
	}
	return fills && c.Submodules != nil
}

// remotes are the commands of git that make a repository with a remote.
func remotes(origin, push string) [][]string {
	return [][]string{
		{"init", "--quiet", "--template="},
		{"config", "--local", "--add", "remote.origin.url", origin},
		{"config", "--local", "--add", "remote.origin.pushurl", push},
		{"config", "--local", "--add", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"},
	}
}

// fetches are the commands of git that fetch a commit, as deep as is asked for, and check it out: as the branch that ref names, or else detached.
func fetches(depth int, tags bool, ref, commit string) (commands [][]string) {
	fetch := []string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules"}
	var more []string // what is fetched beside the commit
	if depth > 0 {
		fetch = append(fetch, "--depth="+strconv.Itoa(depth))
	} else {
		more = append(more, "+refs/heads/*:refs/remotes/origin/*")
	}
	if depth == 0 || tags {
		more = append(more, "+refs/tags/*:refs/tags/*")
	}
	fetch = append(fetch, "--", "origin")
	branch, isBranch := strings.CutPrefix(ref, "refs/heads/")
	local := "refs/remotes/origin/" + branch
	switch {
	case strings.HasPrefix(ref, "refs/tags/"):
		local = ref
	case strings.HasPrefix(ref, "refs/pull/"):
		local = "refs/remotes/pull/" + strings.TrimPrefix(ref, "refs/pull/")
	case !isBranch:
		local = "refs/remotes/origin/commit"
	}
	last := []string{"checkout", "--quiet", "--force", "--detach", commit}
	if isBranch {
		last = []string{"switch", "--quiet", "--force-create=" + branch, "--track", local}
	}
	if len(more) > 0 {
		commands = append(commands, slices.Concat(fetch, more))
	}
	return append(commands, slices.Concat(fetch, []string{"+" + commit + ":" + local}), last)
}

// nowhere is what takes no push.
func nowhere(c *runner.Call) string { return filepath.Join(c.Temp, "no-permission-to-push") }

// forgetCredentials is the end of actions/checkout: what comes after it in the job has no credential in the clone.
func forgetCredentials(ctx context.Context, c *runner.Call) error {
	if !c.Bool("persist-credentials", true) {
		return nil // there is none
	}
	dir := c.Path(c.Input("path", "."))
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		//lint:ignore nilerr a step removed it, or the checkout failed
		return nil
	}
	origin, err := readOnly(c)
	if err != nil {
		return err
	}
	if _, err := git(ctx, c, dir, "config", "--local", "--replace-all", "remote.origin.url", origin); err != nil {
		return err
	}
	_, err = git(ctx, c, dir, "config", "--local", "--replace-all", "remote.origin.pushurl", nowhere(c))
	return err
}

// empty makes an empty folder, where one may be that has files. It is the work folder or in it, and what lies behind a link that a step made is not.
func empty(workspace, dir string) error {
	rel, err := filepath.Rel(workspace, dir)
	if err != nil {
		return err
	}
	if info, err := os.Lstat(workspace); rel == "." || err != nil || !info.IsDir() {
		if err := os.RemoveAll(workspace); err != nil {
			return err
		}
		return os.MkdirAll(dir, 0o755)
	}
	if err := beneath.NoLink(workspace, filepath.ToSlash(filepath.Dir(rel))); err != nil {
		return err
	}
	root, err := os.OpenRoot(workspace)
	if err != nil {
		return err
	}
	defer root.Close()
	return errors.Join(root.RemoveAll(rel), root.MkdirAll(rel, 0o755))
}

// readOnly is the repository of the run for a job that may not push: whatever remote the job names, it is told of no other one.
func readOnly(c *runner.Call) (string, error) {
	dir := filepath.Join(filepath.Dir(c.Temp), "origin.git")
	if _, err := os.Lstat(dir); err == nil {
		return dir, nil // of an earlier checkout of the job
	}
	return dir, ReadOnly(dir, c.Remote, "Permission to "+c.Repository+".git denied to github-actions[bot].")
}

// borrow lets a new repository in dir read the objects of another one.
func borrow(dir, from string) error {
	return os.WriteFile(filepath.Join(dir, ".git", "objects", "info", "alternates"), []byte(filepath.Join(from, "objects")+"\n"), 0o644)
}

// findCommit finds what a ref means: that of the event, a hash, or the name of a branch or a tag.
func findCommit(ctx context.Context, c *runner.Call, name string) (ref, commit string, err error) {
	e := c.Event
	if name == "" || name == e.Ref {
		return e.Ref, e.SHA, nil
	}
	if wholeHash.MatchString(name) {
		return name, name, nil
	}
	candidates := []string{"refs/heads/" + name, "refs/tags/" + name}
	if strings.HasPrefix(name, "refs/") {
		candidates = []string{name}
	}
	for _, ref := range candidates {
		commit, err := git(ctx, c, c.Remote, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
		if err == nil {
			return ref, commit, nil
		}
		if ctx.Err() != nil {
			return "", "", context.Cause(ctx)
		}
	}
	return "", "", fmt.Errorf("a branch or tag with the name %q could not be found", name)
}

// git runs git by no setting of the person's.
func git(ctx context.Context, c *runner.Call, dir string, args ...string) (string, error) {
	return command.Output(ctx, c.Runner, command.Cmd{
		Name:   "git",
		Args:   args,
		Dir:    dir,
		Env:    command.Setenv(c.Environ, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "LC_ALL=C"),
		Stderr: c,
	})
}
