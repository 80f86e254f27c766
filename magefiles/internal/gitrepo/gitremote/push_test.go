package gitremote_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// Refs are read from the URL to which pushes go.
func TestPushAddresses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  func(git func(...string) string, there, elsewhere string)
		also bool // whether pushes go to a second URL too
	}{
		"pushurl": {
			set: func(git func(...string) string, there, elsewhere string) {
				git("remote", "set-url", "origin", elsewhere)
				git("remote", "set-url", "--push", "origin", there)
			},
			also: false,
		},
		"pushInsteadOf": {
			set: func(git func(...string) string, there, elsewhere string) {
				git("remote", "set-url", "origin", elsewhere)
				git("config", "url."+there+".pushInsteadOf", elsewhere)
			},
			also: false,
		},
		"pushInsteadOf, and insteadOf back": {
			set: func(git func(...string) string, there, elsewhere string) {
				git("remote", "set-url", "origin", elsewhere)
				git("config", "url."+there+".pushInsteadOf", elsewhere)
				git("config", "url."+elsewhere+".insteadOf", there)
			},
			also: false,
		},
		"insteadOf": {
			set: func(git func(...string) string, there, _ string) {
				git("remote", "set-url", "origin", "short:origin")
				git("config", "url."+there+".insteadOf", "short:origin")
			},
			also: false,
		},
		"two": {
			set: func(git func(...string) string, there, elsewhere string) {
				git("remote", "set-url", "--push", "origin", there)
				git("remote", "set-url", "--push", "--add", "origin", elsewhere)
			},
			also: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo, dir, git := gitrepotest.Open(t)
			there := gitrepotest.AddRemote(t, dir, git)
			elsewhere := filepath.Join(t.TempDir(), "elsewhere.git")
			git("clone", "-q", "--bare", dir, elsewhere)
			c.set(git, there, elsewhere)
			git("commit", "-q", "--allow-empty", "-m", "x")
			head := git("rev-parse", "HEAD")
			require.NoError(t, repo.Tag(t.Context(), "v1", head, "v1\n"))
			require.NoError(t, gitremote.Push(t.Context(), repo, "origin", head, "main", "v1"))
			require.Equal(t, head, git("--git-dir="+there, "rev-parse", "v1^{commit}"))
			url, err := gitremote.URL(t.Context(), repo, "origin")
			require.NoError(t, err)
			require.Equal(t, there, url)
			refs, err := gitremote.Read(t.Context(), repo, "origin")
			require.NoError(t, err)
			require.Equal(t, map[string]string{"v1": head}, refs.Tags)
			git("tag", "-d", "v1")
			require.NoError(t, gitremote.Fetch(t.Context(), repo, "origin", "v1"))
			require.Equal(t, head, git("rev-parse", "v1^{commit}"))
			require.Equal(t, c.also, git("--git-dir="+elsewhere, "tag") != "")
		})
	}
}

// If there are several push URLs, and one of them would reject the push, nothing is pushed to any of them.
func TestSeveralPushURLs(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	there := gitrepotest.AddRemote(t, dir, git)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.git")
	git("clone", "-q", "--bare", dir, elsewhere)
	git("remote", "set-url", "--push", "origin", there)
	git("remote", "set-url", "--push", "--add", "origin", elsewhere)
	base := git("rev-parse", "HEAD")
	git("--git-dir="+elsewhere, "update-ref", "refs/heads/main", git("--git-dir="+elsewhere, "commit-tree", "-m", "faster", "-p", base, base+"^{tree}"))
	git("commit", "-q", "--allow-empty", "-m", "x")
	err := gitremote.Push(t.Context(), repo, "origin", git("rev-parse", "HEAD"), "main")
	require.Error(t, err)
	require.Contains(t, fmt.Sprintf("%+v", err), elsewhere)
	require.Equal(t, base, git("--git-dir="+there, "rev-parse", "main"))
}

// A push to a remote with its own rules is atomic, and the remote's message is shown.
func TestRulesOfARemote(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set      func(t *testing.T, bare string, git func(...string) string)
		undo     bool
		rejected bool
		says     string
	}{
		"no --atomic": {
			set: func(_ *testing.T, _ string, git func(...string) string) {
				git("config", "receive.advertiseAtomic", "false")
			},
			undo:     false,
			rejected: false,
			says:     "does not accept the branch and the tags in one atomic push",
		},
		"pre-receive": {
			set: func(t *testing.T, bare string, _ func(...string) string) {
				gitrepotest.Hook(t, bare, "pre-receive", `echo "ask for a review"; exit 1`)
			},
			undo:     false,
			rejected: true,
			says:     "ask for a review",
		},
		"no tags": {
			set: func(t *testing.T, bare string, _ func(...string) string) {
				gitrepotest.Hook(t, bare, "update", `case $1 in refs/tags/*) echo "timed out is not what this is" >&2; exit 1; esac`)
			},
			undo:     false,
			rejected: true,
			says:     "timed out is not what this is",
		},
		"receive.maxInputSize": {func(_ *testing.T, _ string, git func(...string) string) { git("config", "receive.maxInputSize", "1") }, false, true, "unpack"},
		"denyCurrentBranch":    {func(_ *testing.T, _ string, git func(...string) string) { git("config", "core.bare", "false") }, false, true, "currently checked out"},
		"tags stay": {
			set: func(t *testing.T, bare string, _ func(...string) string) {
				gitrepotest.Hook(t, bare, "update", `case $3 in *[1-9a-f]*) ;; *) echo "tags stay" >&2; exit 1; esac`)
			},
			undo:     true,
			rejected: true,
			says:     "tags stay",
		},
		"denyNonFastForwards": {
			set: func(_ *testing.T, _ string, git func(...string) string) {
				git("config", "receive.denyNonFastForwards", "true")
				git("update-ref", "refs/heads/main", git("commit-tree", "-m", "faster", "-p", "main", "main^{tree}"))
			},
			undo:     false,
			rejected: true,
			says:     "[rejected]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo, dir, git := gitrepotest.Open(t)
			bare := gitrepotest.AddRemote(t, dir, git)
			git("commit", "-q", "--allow-empty", "-m", "x")
			head := git("rev-parse", "HEAD")
			require.NoError(t, repo.Tag(t.Context(), "v1", head, "v1\n"))
			push := func() error { return gitremote.Push(t.Context(), repo, "origin", head, "main", "v1") }
			if c.undo {
				require.NoError(t, push())
				refs, err := gitremote.Read(t.Context(), repo, "origin")
				require.NoError(t, err)
				git("commit", "-q", "--allow-empty", "-m", "back")
				push = func() error {
					return gitremote.Unpush(t.Context(), repo, "origin", refs, git("rev-parse", "HEAD"), "main", "v1")
				}
			}
			c.set(t, bare, func(args ...string) string { return git(append([]string{"--git-dir=" + bare}, args...)...) })
			there := git("--git-dir="+bare, "for-each-ref")
			err := push()
			require.Error(t, err)
			require.Contains(t, fmt.Sprintf("%+v", err), c.says)
			if c.rejected {
				require.ErrorIs(t, err, gitremote.ErrRejected)
			}
			require.False(t, gitremote.Transient(err), "%+v", err)
			require.Equal(t, there, git("--git-dir="+bare, "for-each-ref"), "all or nothing")
		})
	}
}
