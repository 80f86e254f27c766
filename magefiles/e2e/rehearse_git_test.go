package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestRehearseCallsTheCommitHooks checks that a rehearsal runs the hooks of the repository and of core.hooksPath and shows their output. It must not
// run hooks that guard the real remote.
func TestRehearseCallsTheCommitHooks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		folder    string // folder that contains the hooks
		config    string // value of core.hooksPath; "" leaves it unset
		committed bool
	}{
		"of the repository":             {folder: ".git/hooks"},
		"committed":                     {folder: ".githooks", config: ".githooks", committed: true},
		"beside the sources, ignored":   {folder: "output/hooks here", config: "output/hooks here"},
		"in a folder of its own":        {folder: "../its own", config: "../its own"},
		"of every clone of this person": {folder: "../all", config: "global ../all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{})
			seen := filepath.Join(t.TempDir(), "seen it")
			hooks := filepath.Join(r.dir, c.folder)
			for _, name := range []string{"pre-commit", "prepare-commit-msg", "post-commit"} {
				hook(t, hooks, name, "echo "+name+" >> '"+seen+"'")
			}
			hook(t, hooks, "commit-msg", `grep -q "v0.1.7" "$1" || { echo "[no ticket] $(head -1 "$1")" >&2; exit 1; }`)
			hook(t, hooks, "pre-push", "touch '"+seen+".push'; echo 'no direct pushes'; exit 1")
			switch where, global := strings.CutPrefix(c.config, "global "); {
			case global:
				write(t, r.dir, "../gitconfig", "[core]\n\thooksPath = "+filepath.Join(r.dir, where)+"\n")
				r.env = command.Setenv(r.env, "GIT_CONFIG_GLOBAL="+filepath.Join(r.dir, "../gitconfig"))
			case c.config != "":
				git(t, r.dir, "config", "core.hooksPath", c.config)
			}
			if c.committed {
				git(t, r.dir, "add", "-A")
				git(t, r.dir, "-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "chore: hooks")
			}
			out := r.rehearsed()
			require.Contains(t, out, "○ the hook pre-push: it guards the real remote")
			require.NoFileExists(t, seen+".push")
			data, err := os.ReadFile(seen)
			require.NoError(t, err)
			require.Equal(t, "pre-commit\nprepare-commit-msg\npost-commit\n", string(data), "each once: our own clones and pushes call none")

			r.refused(1, "[no ticket]", "rehearse", "-to=minor")
		})
	}
}

// TestRehearseContactsNoOtherServer redirects every push and fetch in the user's git configuration to a trap, and sets everything else that could
// disturb a rehearsal.
func TestRehearseContactsNoOtherServer(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{})
	trap := filepath.Join(t.TempDir(), "trap.git")
	git(t, r.dir, "init", "-q", "--bare", trap)
	templates := t.TempDir()
	hook(t, templates+"/hooks", "post-checkout", "touch '"+trap+"/called'; exit 1")
	hook(t, templates+"/hooks", "pre-push", "touch '"+trap+"/called'; exit 1")
	config := `[remote "origin"]
	pushurl = ` + trap + `
	push = refs/heads/*:refs/heads/*
	mirror = true
[url "` + trap + `"]
	pushInsteadOf = /
	insteadOf = /nowhere
[push]
	followTags = true
	gpgSign = true
	default = matching
	pushOption = ci.skip
	recurseSubmodules = check
[remote]
	pushDefault = ` + trap + `
[commit]
	gpgSign = true
[tag]
	gpgSign = true
	forceSignAnnotated = true
[gpg]
	program = /no/such/program
[safe]
	bareRepository = explicit
[init]
	templateDir = ` + templates + `
	defaultBranch = trunk
[receive]
	denyNonFastForwards = true
	denyDeletes = true
	fsckObjects = true
	procReceiveRefs = refs
[transfer]
	hideRefs = refs/tags
[fetch]
	prune = true
	pruneTags = true
	fsckObjects = true
[core]
	autocrlf = true
	fsmonitor = /no/such/program
	attributesFile = /no/such/file
	quotePath = false
[clone]
	defaultRemoteName = upstream
	rejectShallow = true
[submodule]
	recurse = true
[color]
	ui = always
[log]
	showSignature = true
[status]
	short = true
	branch = true
`
	write(t, r.dir, "../gitconfig", config)
	r.env = command.Setenv(r.env, "GIT_CONFIG_GLOBAL="+filepath.Join(r.dir, "../gitconfig"))
	out := r.rehearsed()
	require.Contains(t, out, "mono v0.1.7 was rehearsed")
	require.Contains(t, out, "○ signing: your git signs commits or tags")
	require.Empty(t, git(t, r.dir, "--git-dir="+trap, "for-each-ref"))
	require.NoFileExists(t, filepath.Join(trap, "called"))

	// The same settings in the environment, as `git -c` passes them to an alias.
	r.env = command.Setenv(r.env, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_COUNT=2",
		"GIT_CONFIG_KEY_0=remote.origin.pushurl", "GIT_CONFIG_VALUE_0="+trap, "GIT_CONFIG_KEY_1=commit.gpgsign", "GIT_CONFIG_VALUE_1=true",
		"GIT_CONFIG_PARAMETERS='user.name=somebody else' 'core.hookspath'='"+filepath.Join(templates, "hooks")+"'")
	out = r.rehearsed()
	require.Contains(t, out, "○ the hook pre-push: it guards the real remote")
	require.Empty(t, git(t, r.dir, "--git-dir="+trap, "for-each-ref"))
	require.NoFileExists(t, filepath.Join(trap, "called"))
}

// TestRehearseInOtherRepositories rehearses in unusual kinds of clones.
func TestRehearseInOtherRepositories(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(r *releasing, dir string){
		"sha256": func(r *releasing, dir string) {
			git(r.t, r.dir, "init", "-q", "-b", "main", "--object-format=sha256", dir)
			git(r.t, r.dir, "archive", "--output="+dir+".tar", "HEAD")
			_, err := command.Output(r.t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{Name: "tar", Args: []string{"-xf", dir + ".tar", "-C", dir}})
			require.NoError(r.t, err)
			git(r.t, dir, "config", "user.name", "a tester")
			git(r.t, dir, "config", "user.email", "tester@example.invalid")
			git(r.t, dir, "add", "-A")
			git(r.t, dir, "commit", "-q", "-m", "chore: begin")
			git(r.t, dir, "tag", "-a", "-m", "v0.1.6", "v0.1.6")
		},
		"shallow": func(r *releasing, dir string) {
			git(r.t, r.dir, "rm", "-q", "CHANGELOG.md") // with a changelog, a release reads the history and refuses a shallow clone
			git(r.t, r.dir, "commit", "-q", "-m", "chore: one more")
			git(r.t, r.dir, "push", "-q", "origin", "main")
			git(r.t, r.dir, "clone", "-q", "--depth=1", "file://"+r.world.Remote, dir)
			git(r.t, dir, "tag", "nightly")
			git(r.t, dir, "-c", "user.name=a tester", "-c", "user.email=tester@example.invalid", "tag", "-a", "-m", "beside it", "beside")
		},
		"a linked worktree": func(r *releasing, dir string) {
			git(r.t, r.dir, "worktree", "add", "-q", "-b", "side", dir)
		},
		"without a branch": func(r *releasing, dir string) {
			git(r.t, r.dir, "worktree", "add", "-q", "--detach", dir)
		},
		"a worktree of a bare repository": func(r *releasing, dir string) {
			git(r.t, r.dir, "clone", "-q", "--bare", r.world.Remote, dir+".git")
			git(r.t, r.dir, "--git-dir="+dir+".git", "worktree", "add", "-q", dir, "main")
		},
		"a partial clone": func(r *releasing, dir string) {
			git(r.t, r.dir, "--git-dir="+r.world.Remote, "config", "uploadpack.allowFilter", "true")
			git(r.t, r.dir, "clone", "-q", "--filter=blob:none", "file://"+r.world.Remote, dir)
		},
		"a path with = and blanks": func(r *releasing, dir string) {
			git(r.t, r.dir, "clone", "-q", r.world.Remote, dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{})
			dir := filepath.Join(t.TempDir(), "it = here")
			make(r, dir)
			r.dir = dir
			before := git(t, dir, "for-each-ref") + git(t, dir, "status", "--porcelain")
			require.Contains(t, r.ok("rehearse"), "v0.1.7 was rehearsed")
			require.Equal(t, before, git(t, dir, "for-each-ref")+git(t, dir, "status", "--porcelain"))
		})
	}
}
