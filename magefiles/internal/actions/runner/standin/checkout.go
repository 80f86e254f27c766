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

// checkout replaces actions/checkout, for the run's own repository. The clone can push only if the job may write and the credentials are persisted.
func checkout(ctx context.Context, c *runner.Call) error {
	if r := c.Input("repository", c.Repository); !strings.EqualFold(r, c.Repository) {
		return fmt.Errorf("the repository %s is not available here: only the repository of the run can be checked out", r)
	}
	depth, err := strconv.Atoi(c.Input("fetch-depth", "1"))
	if err != nil || depth < 0 {
		return fmt.Errorf("fetch-depth must be a number, but is %q", c.With["fetch-depth"])
	}
	submodules := submodules(c)
	if c.Grant["contents"] == "" {
		return fmt.Errorf("the job may not read the repository: its permissions lack contents: read")
	}
	dir := c.Path(c.Input("path", "."))
	if !glob.Within(c.Workspace, dir) {
		return fmt.Errorf("path must be inside the work folder, but %s is not", c.With["path"])
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
		push = unpushablePlace(c)
		if origin, err = readOnly(c); err != nil {
			return err
		}
	}
	for i, args := range append(remotes(origin, push), fetches(depth, c.Bool("fetch-tags", false), ref, commit)...) {
		if i == 1 && depth == 0 { // everything is on this machine: nothing is copied
			if err := borrow(dir, origin); err != nil {
				return err
			}
		}
		if _, err := git(ctx, c, dir, args...); err != nil {
			return err
		}
	}
	if submodules {
		c.Note("actions/checkout copies the submodules of this clone, including nested submodules")
		if err := c.Submodules(ctx, dir); err != nil {
			return err
		}
	}
	if depth > 0 {
		c.Watch("shallow", c.Problem("fetch-depth", "the checkout has no history (fetch-depth: %d), but a step uses the history: `fetch-depth: 0` fetches all commits", depth))
	}
	c.Say("checked out %s at %s", ref, commit)
	c.Output("ref", ref)
	c.Output("commit", commit)
	return nil
}

// submodules reports whether to fill submodules. It notes ignored inputs.
func submodules(c *runner.Call) bool {
	fills := strings.EqualFold(c.Input("submodules", ""), "recursive") || c.Bool("submodules", false)
	for key, asked := range map[string]bool{
		"submodules":      fills && c.Submodules == nil,
		"lfs":             c.Bool("lfs", false),
		"sparse-checkout": c.Input("sparse-checkout", "") != "",
		"filter":          c.Input("filter", "") != "",
	} {
		if asked {
			c.Note("the input %s of actions/checkout is ignored: the checkout has the same files as without this input", key)
		}
	}
	return fills && c.Submodules != nil
}

// remotes returns the git commands that create a repository with a remote.
func remotes(origin, push string) [][]string {
	return [][]string{
		{"init", "--quiet", "--template="},
		{"config", "--local", "--add", "remote.origin.url", origin},
		{"config", "--local", "--add", "remote.origin.pushurl", push},
		{"config", "--local", "--add", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"},
	}
}

// fetches returns the git commands that fetch a commit at the requested depth, and check it out: as the branch that ref names, or detached.
func fetches(depth int, tags bool, ref, commit string) (commands [][]string) {
	fetch := []string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules"}
	var more []string // other refs to fetch
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

// unpushablePlace returns a location that rejects every push.
func unpushablePlace(c *runner.Call) string { return filepath.Join(c.Temp, "no-permission-to-push") }

// forgetCredentials is the cleanup of actions/checkout, which removes the clone's credential.
func forgetCredentials(ctx context.Context, c *runner.Call) error {
	if !c.Bool("persist-credentials", true) {
		return nil // the clone has no credential
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
	_, err = git(ctx, c, dir, "config", "--local", "--replace-all", "remote.origin.pushurl", unpushablePlace(c))
	return err
}

// empty creates an empty folder, or removes the contents of an existing one. It is the work folder or inside it. Targets of symbolic links are kept.
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

// readOnly returns the run's repository for a job that may not push. The job gets only this path, whatever the remote is called.
func readOnly(c *runner.Call) (string, error) {
	dir := filepath.Join(filepath.Dir(c.Temp), "origin.git")
	if _, err := os.Lstat(dir); err == nil {
		return dir, nil // clone of an earlier checkout in this job
	}
	return dir, ReadOnly(dir, c.Remote, "Permission to "+c.Repository+".git denied to github-actions[bot].")
}

// borrow makes a new repository in dir share another repository's objects.
func borrow(dir, from string) error {
	return os.WriteFile(filepath.Join(dir, ".git", "objects", "info", "alternates"), []byte(filepath.Join(from, "objects")+"\n"), 0o644)
}

// findCommit resolves a ref: the event's ref, a hash, or a branch or tag name.
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

// git runs git without the user's settings.
func git(ctx context.Context, c *runner.Call, dir string, args ...string) (string, error) {
	return command.Output(ctx, c.Runner, command.Cmd{
		Name:   "git",
		Args:   args,
		Dir:    dir,
		Env:    command.Setenv(c.Environ, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "LC_ALL=C"),
		Stderr: c,
	})
}
