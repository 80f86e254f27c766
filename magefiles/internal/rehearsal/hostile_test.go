package rehearsal

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/gitsettings"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
)

// TestHostileHooksOfARehearsal makes every program that git calls in a rehearsal (hooks, filters, monitors) record its environment, which must have
// no credential. In the user's own repository, where a partial clone may have to fetch from its remote, no program is called.
func TestHostileHooksOfARehearsal(t *testing.T) {
	base := t.TempDir()
	seen, top := filepath.Join(base, "seen"), filepath.Join(base, "mine")
	require.NoError(t, os.Mkdir(seen, 0o755))
	spy := filepath.Join(base, "spy")
	require.NoError(t, os.WriteFile(spy, []byte("#!/bin/sh\nenv > '"+seen+"'/$(basename \"$0\").$$\ncase $0 in *filter) cat;; esac\n"), 0o755))
	filter := filepath.Join(base, "filter")
	require.NoError(t, os.Symlink(spy, filter))
	hooks := filepath.Join(base, "hooks")
	require.NoError(t, os.Mkdir(hooks, 0o755))
	for _, name := range []string{"pre-commit", "post-commit", "reference-transaction", "post-index-change", "post-checkout", "pre-push"} {
		require.NoError(t, os.Symlink(spy, filepath.Join(hooks, name)))
	}
	env := command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "HOME="+base,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid")
	git := func(args ...string) {
		x := exec.Command("git", append([]string{"-C", top}, args...)...)
		x.Env = env
		out, err := x.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	require.NoError(t, os.Mkdir(top, 0o755))
	git("init", "-q", "-b", "main")
	require.NoError(t, os.WriteFile(filepath.Join(top, "file"), []byte("one\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(top, ".gitattributes"), []byte("* filter=spy\n"), 0o644))
	git("add", "-A")
	git("commit", "-q", "-m", "first")
	for _, kv := range [][2]string{{"core.hooksPath", hooks}, {"core.fsmonitor", spy}, {"filter.spy.clean", filter}, {"filter.spy.smudge", filter}} {
		git("config", kv[0], kv[1])
	}

	system := command.NewSystem(append(env, "PREFIX_API_KEY=secret-of-prefix", "GITHUB_TOKEN=secret-of-github", "NPM_TOKEN=secret-of-npm",
		"SSH_AUTH_SOCK=/secret-of-an-agent", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=secret-of-a-job"), nil)
	repo, err := gitrepo.Open(t.Context(), system, top)
	require.NoError(t, err)
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	w := &World{Remote: filepath.Join(base, "remote.git"), WorldConfig: WorldConfig{Dir: base, Runner: system, Environ: system.Environ(), Source: repo, Branch: "main"}}
	require.NoError(t, w.makeRemote(t.Context()))
	called := func() []os.DirEntry {
		entries, err := os.ReadDir(seen)
		require.NoError(t, err)
		return entries
	}
	require.Empty(t, called(), "git calls that may contact a remote run no program of the repository")

	r := &run{Config: Config{Runner: system, Environ: system.Environ()}}
	require.NoError(t, os.WriteFile(filepath.Join(top, "file"), []byte("two\n"), 0o644))
	_, err = r.git(t.Context(), top, "status", "--porcelain", "--untracked-files=no")
	require.NoError(t, err)
	_, err = gitsettings.Ask(t.Context(), system, system.Environ(), top, "commit", "--quiet", "--all", "--message=second")
	require.NoError(t, err)
	ci := &workflows.CI{Config: workflows.Config{Runner: system, Remote: w.Remote}}
	require.NoError(t, ci.Checkout(t.Context(), workflows.Played{Environ: w.quietGit(), Source: repo}, head.Commit, filepath.Join(base, "job"), io.Discard))
	out, err := exec.Command("git", "-C", filepath.Join(base, "job"), "push", "--quiet", "origin", "HEAD:refs/heads/by-a-job").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "remote: You are not allowed to push code to this project.")
	require.Greater(t, len(called()), 3)
	for _, e := range called() {
		text, err := os.ReadFile(filepath.Join(seen, e.Name()))
		require.NoError(t, err)
		require.NotContains(t, string(text), "secret-of-", e.Name())
	}
}

// TestHostileHooksOfTheRemote installs a hook in the embedded remote, to which jobs can write. The rehearsal itself runs no hooks there.
func TestHostileHooksOfTheRemote(t *testing.T) {
	base := t.TempDir()
	remote := filepath.Join(base, "remote.git")
	git := func(stdin string, args ...string) string {
		cmd := exec.Command("git", append([]string{"--git-dir=" + remote}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return strings.TrimSpace(string(out))
	}
	git("", "init", "-q", "--bare", "-b", "main", remote)
	git("", "update-ref", "refs/heads/main", git("", "commit-tree", "-m", "first", git("", "mktree")))
	hooks := filepath.Join(remote, "hooks")
	require.NoError(t, os.MkdirAll(hooks, 0o755))
	ran := filepath.Join(base, "ran")
	require.NoError(t, os.WriteFile(filepath.Join(hooks, "reference-transaction"), []byte("#!/bin/sh\ntouch '"+ran+"'\n"), 0o755))
	system := command.NewSystem(os.Environ(), nil)
	w := &World{Remote: remote, WorldConfig: WorldConfig{Dir: base, Runner: system, Environ: system.Environ()}}
	head, _ := w.Bare().Branch("main")
	_, err := w.Bare().Land(server.Landing{
		Base:    "main",
		Head:    head,
		Method:  "squash",
		Message: "landed",
	})
	require.NoError(t, err)
	require.NoFileExists(t, ran)
}
