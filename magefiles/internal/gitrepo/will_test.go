package gitrepo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// The user's settings decide the metadata of commits and tags, and how git signs them. They do not affect trees, parents and refs.
func TestWill(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  func(t *testing.T, dir string, git func(...string) string) []string // returns environment variables
		want func(t *testing.T, dir string, git func(...string) string)
	}{
		"identity": {
			set: func(_ *testing.T, _ string, git func(...string) string) []string {
				git("config", "author.name", "an author")
				git("config", "user.name", "a committer")
				git("config", "user.email", "c@example.invalid")
				return []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"}
			},
			want: func(t *testing.T, _ string, git func(...string) string) {
				require.Equal(t, "an author a committer c@example.invalid", git("log", "-1", "--format=%an %cn %ce"))
				require.Equal(t, "a committer", git("for-each-ref", "--format=%(taggername)", "refs/tags/v1"))
			},
		},
		"a commit-msg hook": {
			set: func(t *testing.T, dir string, _ func(...string) string) []string {
				gitrepotest.Hook(t, filepath.Join(dir, ".git"), "commit-msg", `echo "Change-Id: I1" >> "$1"`)
				return nil
			},
			want: func(t *testing.T, _ string, git func(...string) string) {
				require.Equal(t, "release: v1\nChange-Id: I1", git("log", "-1", "--format=%B"))
			},
		},
		"core.hooksPath": {
			set: func(t *testing.T, dir string, git func(...string) string) []string {
				gitrepotest.Hook(t, filepath.Join(dir, ".git"), "prepare-commit-msg", `exit 1`)
				other := t.TempDir()
				gitrepotest.Hook(t, other, "prepare-commit-msg", `echo "by $2" >> "$1"`)
				gitrepotest.Hook(t, other, "pre-push", `echo "$1 $LC_ALL" > pushed`)
				git("config", "core.hooksPath", filepath.Join(other, "hooks"))
				return nil
			},
			want: func(t *testing.T, dir string, git func(...string) string) {
				require.Equal(t, "release: v1\nby message", git("log", "-1", "--format=%B"))
				text, err := os.ReadFile(filepath.Join(dir, "pushed"))
				require.NoError(t, err)
				require.Equal(t, "origin C.UTF-8\n", string(text), "the hook ran in the user's locale")
			},
		},
		"encoding": {
			set: func(_ *testing.T, _ string, git func(...string) string) []string {
				git("config", "i18n.commitEncoding", "ISO-8859-1")
				return nil
			},
			want: func(t *testing.T, _ string, git func(...string) string) {
				require.Contains(t, git("cat-file", "commit", "HEAD"), "\nencoding ISO-8859-1\n")
				require.Equal(t, "release: v1", git("log", "-1", "--format=%B"))
			},
		},
		"a template": {
			set: func(t *testing.T, dir string, git func(...string) string) []string {
				gitrepotest.Write(t, dir, ".git/template", "why:\n")
				git("config", "commit.template", ".git/template")
				return nil
			},
			want: func(t *testing.T, _ string, git func(...string) string) {
				require.Equal(t, "release: v1", git("log", "-1", "--format=%B"), "a template is only for messages that a person writes")
			},
		},
		"a hook that asks git about the commit": {
			set: func(t *testing.T, dir string, _ func(...string) string) []string {
				gitrepotest.Hook(t, filepath.Join(dir, ".git"), "pre-commit", `git diff --cached --name-only > staged; git config core.hooksPath >> staged; exit 0`)
				return nil
			},
			want: func(t *testing.T, dir string, _ func(...string) string) {
				text, err := os.ReadFile(filepath.Join(dir, "staged"))
				require.NoError(t, err)
				require.Equal(t, "sub/file\n", string(text), "our settings do not prevent it")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, plain := gitrepotest.New(t)
			git := func(args ...string) string { return gitrepotest.Git(t, plain, dir, args...) }
			bare := gitrepotest.AddRemote(t, dir, git)
			base := git("rev-parse", "HEAD")
			drop := c.set(t, dir, git)
			run := command.NewSystem(command.Setenv(command.Unset(plain.(*command.System).Environ(), drop...), "LC_ALL=C.UTF-8"), nil)
			repo, err := gitrepo.Open(t.Context(), run, dir)
			require.NoError(t, err)
			gitrepotest.Write(t, dir, "sub/file", "second\n")
			hash, err := repo.Commit(t.Context(), []string{"sub/file"}, "release: v1\n")
			require.NoError(t, err, "%+v", err)
			require.NoError(t, repo.Tag(t.Context(), "v1", hash, "v1\n"))
			require.NoError(t, gitremote.Push(t.Context(), repo, "origin", hash, "main", "v1"))
			git("update-index", "--refresh", "-q")
			tree := git("write-tree")
			require.Equal(t, base+" "+tree, git("log", "-1", "--format=%P %T"))
			require.Equal(t, "sub/file", git("diff-tree", "-r", "--name-only", "--no-commit-id", "HEAD"))
			require.Equal(t, hash+" commit\trefs/heads/main\n"+git("rev-parse", "v1")+" tag\trefs/tags/v1", gitrepotest.Git(t, plain, bare, "for-each-ref"))
			c.want(t, dir, git)
		})
	}
}

// If a hook refuses, its output is shown, and the clone and the remote do not change.
func TestHooksThatRefuse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hook, script string
		do           func(t *testing.T, repo *gitrepo.Repo) error
	}{
		"commit-msg":          {"commit-msg", `echo "no ticket in the message" >&2; exit 1`, commitFile},
		"prepare-commit-msg":  {"prepare-commit-msg", `echo "no ticket in the message"; exit 1`, commitFile},
		"pre-commit, unstage": {"pre-commit", `git reset -q; echo "no ticket in the message"; exit 3`, commitFile},
		"of all refs":         {"reference-transaction", `[ "$1" = prepared ] && echo "no ticket in the message" && exit 1; exit 0`, commitFile},
		"of tags": {
			hook:   "reference-transaction",
			script: `grep -q refs/tags && echo "no ticket in the message" >&2 && exit 1; exit 0`,
			do: func(t *testing.T, repo *gitrepo.Repo) error {
				return repo.Tag(t.Context(), "v1", "HEAD", "v1\n")
			},
		},
		"pre-push": {
			hook:   "pre-push",
			script: `echo "no ticket in the message"; exit 1`,
			do: func(t *testing.T, repo *gitrepo.Repo) error {
				return gitremote.Push(t.Context(), repo, "origin", "HEAD^0", "main")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo, dir, git := gitrepotest.Open(t)
			bare := gitrepotest.AddRemote(t, dir, git)
			git("commit", "-q", "--allow-empty", "-m", "to be pushed")
			refs, status := git("for-each-ref"), git("status", "--porcelain")
			theirs := git("--git-dir="+bare, "for-each-ref")
			gitrepotest.Hook(t, repo.Dir, c.hook, c.script)
			err := c.do(t, repo)
			require.ErrorContains(t, err, "git ended with exit status")
			require.Contains(t, fmt.Sprintf("%+v", err), "no ticket in the message")
			require.Contains(t, fmt.Sprintf("%+v", err), "→ read the message of git or of a hook above")
			require.False(t, gitremote.Transient(err))
			git("checkout", "-q", ".")
			require.Equal(t, refs, git("for-each-ref"))
			require.Equal(t, status, git("status", "--porcelain"))
			require.Equal(t, theirs, git("--git-dir="+bare, "for-each-ref"))
		})
	}
}

// If a hook refuses without any output, the error names the hook.
func TestHookWithoutOutput(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"pre-commit", "commit-msg", "prepare-commit-msg"} {
		repo, _, git := gitrepotest.Open(t)
		if name == "commit-msg" {
			dir := t.TempDir()
			gitrepotest.Hook(t, dir, name, "exit 1")
			git("config", "core.hooksPath", filepath.Join(dir, "hooks"))
		} else {
			gitrepotest.Hook(t, repo.Dir, name, "exit 1")
		}
		err := commitFile(t, repo)
		require.Regexp(t, "→ find out why git failed without a message, perhaps in one of the hooks "+name+" in /", fmt.Sprintf("%+v", err))
	}
}

func commitFile(t *testing.T, repo *gitrepo.Repo) error {
	gitrepotest.Write(t, repo.Top, "sub/file", "second\n")
	_, err := repo.Commit(t.Context(), []string{"sub/file"}, "x\n")
	return err
}

func tagging(t *testing.T, repo *gitrepo.Repo) error {
	return repo.Tag(t.Context(), "v1", "HEAD", "v1\n")
}

func pushing(t *testing.T, repo *gitrepo.Repo) error {
	return gitremote.Push(t.Context(), repo, "origin", "HEAD^0", "main")
}

// A hook does not get a credential by default, and the error names the missing variable. The hook gets the credential if the manifest passes it.
func TestHooksThatNeedACredential(t *testing.T) {
	const script = `[ -n "$TICKETS_TOKEN" ] || { echo "set TICKETS_TOKEN" >&2; exit 1; }`
	for name, c := range map[string]struct {
		hook, script string
		do           func(t *testing.T, repo *gitrepo.Repo) error
	}{
		"commit-msg": {"commit-msg", script, commitFile},
		"pre-commit": {"pre-commit", script, commitFile},
		"of tags":    {"reference-transaction", script, tagging},
		"pre-push":   {"pre-push", script, pushing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TICKETS_TOKEN", "a-token-of-the-tickets")
			t.Setenv("OTHER_TOKEN", "a-token-of-something")
			_, dir, git := gitrepotest.Open(t)
			gitrepotest.AddRemote(t, dir, git)
			repo, err := gitrepo.Open(t.Context(), command.NewSystem(os.Environ(), nil), dir)
			require.NoError(t, err)
			git("commit", "-q", "--allow-empty", "-m", "to be pushed")
			gitrepotest.Hook(t, repo.Dir, c.hook, c.script)
			said := fmt.Sprintf("%+v", c.do(t, repo))
			require.Contains(t, said, "set TICKETS_TOKEN")
			require.Contains(t, said, `The command ran without the variable TICKETS_TOKEN. If it needs this variable, set [tool.release] pass = ["TICKETS_TOKEN"]`)
			require.NotContains(t, said, "OTHER_TOKEN")
			git("checkout", "-q", ".")
			repo.Pass = []string{"TICKETS_TOKEN"}
			require.NoError(t, c.do(t, repo))
		})
	}
}

// A hook's output may contain a credential, which it got for the remote or found elsewhere. Errors must not contain credentials from either output
// stream, because errors are saved in journals and reports.
func TestHooksThatPrintCredentials(t *testing.T) {
	for _, kv := range [][2]string{
		{"GH_TOKEN", "ghp_AbCdEfGhIjKlMnOpQr"},
		{"TICKETS_TOKEN", "a-token-of-the-tickets"},
		{"HTTPS_PROXY", "http://u:passw0rdxyz@127.0.0.1:9"},
		{"DEPLOY_SSH_PRIVATE_KEY", "begin-of-key\nmiddle-of-key\r\nend-of-key"},
	} {
		t.Setenv(kv[0], kv[1])
	}
	secrets := []string{"ghp_AbCdEfGhIjKlMnOpQr", "a-token-of-the-tickets", "passw0rdxyz", "middle-of-key"}
	var lines strings.Builder
	for _, secret := range secrets {
		fmt.Fprintf(&lines, "echo 'out %s'; echo 'err %s' >&2; ", secret, secret)
	}
	for hook, do := range map[string]func(t *testing.T, repo *gitrepo.Repo) error{"pre-commit": commitFile, "reference-transaction": tagging, "pre-push": pushing} {
		t.Run(hook, func(t *testing.T) {
			_, dir, git := gitrepotest.Open(t)
			gitrepotest.AddRemote(t, dir, git)
			git("commit", "-q", "--allow-empty", "-m", "to be pushed")
			repo, err := gitrepo.Open(t.Context(), command.NewSystem(os.Environ(), nil), dir)
			require.NoError(t, err)
			gitrepotest.Hook(t, repo.Dir, hook, lines.String()+"exit 1")
			err = do(t, repo)
			text := fmt.Sprintf("%+v", err)
			require.Contains(t, text, "out ***")
			require.Contains(t, text, "err ***")
			for _, secret := range secrets {
				require.NotContains(t, text, secret)
			}
		})
	}
}

// If git was stopped, or could not be started, there is no git output to refer to in the next step.
func TestAGitThatWasStopped(t *testing.T) {
	t.Parallel()
	repo, _, git := gitrepotest.Open(t)
	why := errors.New("enough")
	for name, do := range map[string]func(ctx context.Context) error{
		"a question": func(ctx context.Context) error {
			_, err := repo.Changes(ctx)
			return err
		},
		"a tag": func(ctx context.Context) error { return repo.Tag(ctx, "v1", "HEAD", "v1\n") },
	} {
		ctx, end := context.WithCancelCause(t.Context())
		end(why)
		err := do(ctx)
		require.ErrorIs(t, err, why, name)
		require.Empty(t, operr.NextOf(err), name)
	}
	gitrepotest.Hook(t, repo.Dir, "reference-transaction", "echo begun; sleep 600")
	ctx, end := context.WithCancelCause(t.Context())
	time.AfterFunc(time.Second/2, func() { end(why) })
	err := repo.Tag(ctx, "v1", "HEAD", "v1\n")
	require.ErrorIs(t, err, why)
	require.Empty(t, operr.NextOf(err))
	require.Empty(t, git("tag"))
}
