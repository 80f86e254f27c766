package gitrepo_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// A repository whose hashes are longer is like any other.
func TestSHA256(t *testing.T) {
	t.Parallel()
	_, run := newRepo(t)
	dir := t.TempDir()
	git := func(args ...string) string { return gitOK(t, run, dir, args...) }
	git("init", "-q", "-b", "main", "--object-format=sha256", ".")
	write(t, dir, "sub/file", "first\n")
	git("add", "-A")
	git("commit", "-q", "-m", "feat: first")
	withRemote(t, dir, git)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	write(t, dir, "sub/file", "second\n")
	hash, err := repo.Commit(t.Context(), []string{"sub/file"}, "release: v1\n")
	require.NoError(t, err)
	require.Len(t, hash, 64)
	require.NoError(t, repo.Tag(t.Context(), "v1", hash, "v1\n"))
	require.NoError(t, repo.Push(t.Context(), "origin", hash, "main", "v1"))
	refs, err := repo.Remote(t.Context(), "origin")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"v1": hash}, refs.Tags)
	log, err := repo.Log(t.Context(), "HEAD^")
	require.NoError(t, err)
	require.Equal(t, []gitrepo.Commit{{Hash: hash, Subject: "release: v1", Paths: []string{"sub/file"}}}, log)
	by, err := repo.LineOrigin(t.Context(), "HEAD", "sub/file", 1)
	require.NoError(t, err)
	require.Equal(t, hash, by)
	has, err := repo.Contains(t.Context(), hash, "1111111111111111111111111111111111111111111111111111111111111111")
	require.NoError(t, err)
	require.False(t, has)
	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, repo.CloneAt(t.Context(), clone, hash))
	require.Equal(t, hash, gitOK(t, run, clone, "rev-parse", "HEAD"))
	require.NoError(t, repo.Export(t.Context(), hash, ".", filepath.Join(t.TempDir(), "export")))
}

// A clone is made of a partial one, whatever it lacks; it needs the remote only for what it lacks of the commit itself.
func TestPartialClones(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{"blob:none", "tree:0", "blob:limit=3"} {
		t.Run(filter, func(t *testing.T) {
			t.Parallel()
			dir, run := newRepo(t)
			git := func(args ...string) string { return gitOK(t, run, dir, args...) }
			first := git("rev-parse", "HEAD")
			write(t, dir, "sub/file", "second\n")
			git("commit", "-q", "-a", "-m", "feat: second")
			bare := withRemote(t, dir, git)
			gitOK(t, run, bare, "config", "uploadpack.allowFilter", "true")
			gitOK(t, run, bare, "config", "uploadpack.allowAnySHA1InWant", "true")
			partial := filepath.Join(t.TempDir(), "partial")
			gitOK(t, run, dir, "clone", "-q", "--filter="+filter, "file://"+bare, partial)
			repo, err := gitrepo.Open(t.Context(), run, partial)
			require.NoError(t, err)
			head, err := repo.Head(t.Context())
			require.NoError(t, err)

			require.NoError(t, os.Rename(bare, bare+".away"))
			clone := filepath.Join(t.TempDir(), "clone")
			require.NoError(t, repo.CloneAt(t.Context(), clone, head.Commit), "what is checked out is all there")
			require.Equal(t, "second\n", files(t, filepath.Join(clone, "sub"))["file"])
			err = repo.CloneAt(t.Context(), clone+"-3", first)
			require.Contains(t, fmt.Sprintf("%+v", err), "this is a partial clone, and what it lacks cannot be fetched from origin")
			require.Contains(t, fmt.Sprintf("%+v", err), "does not appear to be a git repository")

			require.NoError(t, os.Rename(bare+".away", bare))
			require.NoError(t, repo.CloneAt(t.Context(), clone+"-4", first))
			require.Equal(t, "first\n", files(t, filepath.Join(clone+"-4", "sub"))["file"])
		})
	}
}

// Whatever clones are allowed to talk by, one of this machine's own is made.
func TestCloneWhereFilesAreNotAllowed(t *testing.T) {
	dir, run := newRepo(t)
	for name, r := range map[string]command.Runner{
		"by a setting":  with(run, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=never"),
		"by a variable": with(run, "GIT_ALLOW_PROTOCOL=https:ssh"),
		"by submodules": with(run, "GIT_PROTOCOL_FROM_USER=0"),
		"template":      with(run, "GIT_TEMPLATE_DIR="+filepath.Join(dir, "nothing")),
	} {
		repo, err := gitrepo.Open(t.Context(), r, dir)
		require.NoError(t, err)
		require.NoError(t, repo.CloneAt(t.Context(), filepath.Join(t.TempDir(), "clone"), "HEAD"), name)
	}
}

// Work trees of one repository share the folder that locks are in; what a killed git left in one is removed from another.
func TestWorktrees(t *testing.T) {
	repo, _, git := open(t)
	require.Equal(t, repo.Dir, repo.Common)
	linked := filepath.Join(t.TempDir(), "linked")
	git("worktree", "add", "-q", linked, "-b", "side")
	_, run := newRepo(t)
	other, err := gitrepo.Open(t.Context(), run, filepath.Join(linked, "sub"))
	require.NoError(t, err)
	require.Equal(t, repo.Common, other.Common)
	require.NotEqual(t, repo.Dir, other.Dir)
	head, err := other.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, "side", head.Branch)

	since := time.Now().Add(-time.Minute)
	require.NoError(t, os.WriteFile(filepath.Join(other.Dir, "index.lock"), nil, 0o644))
	killed(t, repo, other.Dir, "commit", since)
	removed, err := repo.Unlock(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"index.lock"}, removed)
	require.NoError(t, os.WriteFile(filepath.Join(repo.Dir, "index.lock"), nil, 0o644))
	killed(t, other, repo.Dir, "commit", since)
	removed, err = other.Unlock(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"index.lock"}, removed)
	git("tag", "main") // and a tag of a branch's name changes nothing
	head, err = repo.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, "main", head.Branch)
}

// What is read of a remote is read where it is pushed to.
func TestPushAddresses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  func(git func(...string) string, there, elsewhere string)
		also bool // it is pushed elsewhere as well
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
			repo, dir, git := open(t)
			there := withRemote(t, dir, git)
			elsewhere := filepath.Join(t.TempDir(), "elsewhere.git")
			git("clone", "-q", "--bare", dir, elsewhere)
			c.set(git, there, elsewhere)
			git("commit", "-q", "--allow-empty", "-m", "x")
			head := git("rev-parse", "HEAD")
			require.NoError(t, repo.Tag(t.Context(), "v1", head, "v1\n"))
			require.NoError(t, repo.Push(t.Context(), "origin", head, "main", "v1"))
			require.Equal(t, head, git("--git-dir="+there, "rev-parse", "v1^{commit}"))
			url, err := repo.URL(t.Context(), "origin")
			require.NoError(t, err)
			require.Equal(t, there, url)
			refs, err := repo.Remote(t.Context(), "origin")
			require.NoError(t, err)
			require.Equal(t, map[string]string{"v1": head}, refs.Tags)
			git("tag", "-d", "v1")
			require.NoError(t, repo.Fetch(t.Context(), "origin", "v1"))
			require.Equal(t, head, git("rev-parse", "v1^{commit}"))
			require.Equal(t, c.also, git("--git-dir="+elsewhere, "tag") != "")
		})
	}
}

// Of several addresses none gets anything that another one would refuse for what it has.
func TestSeveralAddressesAreAskedFirst(t *testing.T) {
	repo, dir, git := open(t)
	there := withRemote(t, dir, git)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.git")
	git("clone", "-q", "--bare", dir, elsewhere)
	git("remote", "set-url", "--push", "origin", there)
	git("remote", "set-url", "--push", "--add", "origin", elsewhere)
	base := git("rev-parse", "HEAD")
	git("--git-dir="+elsewhere, "update-ref", "refs/heads/main", git("--git-dir="+elsewhere, "commit-tree", "-m", "faster", "-p", base, base+"^{tree}"))
	git("commit", "-q", "--allow-empty", "-m", "x")
	err := repo.Push(t.Context(), "origin", git("rev-parse", "HEAD"), "main")
	require.Error(t, err)
	require.Contains(t, fmt.Sprintf("%+v", err), elsewhere)
	require.Equal(t, base, git("--git-dir="+there, "rev-parse", "main"))
}

// A remote with rules of its own takes all or nothing, and what it says is shown.
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
			says:     "does not take branch and tags at once",
		},
		"pre-receive": {
			set: func(t *testing.T, bare string, _ func(...string) string) {
				hook(t, bare, "pre-receive", `echo "ask for a review"; exit 1`)
			},
			undo:     false,
			rejected: true,
			says:     "ask for a review",
		},
		"no tags": {
			set: func(t *testing.T, bare string, _ func(...string) string) {
				hook(t, bare, "update", `case $1 in refs/tags/*) echo "timed out is not what this is" >&2; exit 1; esac`)
			},
			undo:     false,
			rejected: true,
			says:     "timed out is not what this is",
		},
		"receive.maxInputSize": {func(_ *testing.T, _ string, git func(...string) string) { git("config", "receive.maxInputSize", "1") }, false, true, "unpack"},
		"denyCurrentBranch":    {func(_ *testing.T, _ string, git func(...string) string) { git("config", "core.bare", "false") }, false, true, "currently checked out"},
		"tags stay": {
			set: func(t *testing.T, bare string, _ func(...string) string) {
				hook(t, bare, "update", `case $3 in *[1-9a-f]*) ;; *) echo "tags stay" >&2; exit 1; esac`)
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
			repo, dir, git := open(t)
			bare := withRemote(t, dir, git)
			git("commit", "-q", "--allow-empty", "-m", "x")
			head := git("rev-parse", "HEAD")
			require.NoError(t, repo.Tag(t.Context(), "v1", head, "v1\n"))
			push := func() error { return repo.Push(t.Context(), "origin", head, "main", "v1") }
			if c.undo {
				require.NoError(t, push())
				refs, err := repo.Remote(t.Context(), "origin")
				require.NoError(t, err)
				git("commit", "-q", "--allow-empty", "-m", "back")
				push = func() error { return repo.Unpush(t.Context(), "origin", refs, git("rev-parse", "HEAD"), "main", "v1") }
			}
			c.set(t, bare, func(args ...string) string { return git(append([]string{"--git-dir=" + bare}, args...)...) })
			there := git("--git-dir="+bare, "for-each-ref")
			err := push()
			require.Error(t, err)
			require.Contains(t, fmt.Sprintf("%+v", err), c.says)
			if c.rejected {
				require.ErrorIs(t, err, gitrepo.ErrRejected)
			}
			require.False(t, gitrepo.Transient(err), "%+v", err)
			require.Equal(t, there, git("--git-dir="+bare, "for-each-ref"), "all or nothing")
		})
	}
}

// A history of this machine is not judged by settings that are for what comes from elsewhere: many have old faults.
func TestCloneOfAHistoryWithFaults(t *testing.T) {
	dir, run := newRepo(t)
	blob := gitOK(t, run, dir, "rev-parse", "HEAD:sub/file")
	raw, err := hex.DecodeString(blob)
	require.NoError(t, err)
	tree, err := command.Output(t.Context(), run, command.Cmd{
		Name:  "git",
		Args:  []string{"hash-object", "-t", "tree", "--literally", "-w", "--stdin"},
		Dir:   dir,
		Stdin: strings.NewReader("0100644 file\x00" + string(raw)),
	})
	require.NoError(t, err)
	faulty := gitOK(t, run, dir, "commit-tree", "-p", "HEAD", "-m", "of another tool", tree)
	head := gitOK(t, run, dir, "commit-tree", "-p", faulty, "-m", "of git", "HEAD^{tree}")
	gitOK(t, run, dir, "update-ref", "HEAD", head)
	for _, setting := range []string{"transfer.fsckObjects", "fetch.fsckObjects"} {
		repo, err := gitrepo.Open(t.Context(), with(run, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0="+setting, "GIT_CONFIG_VALUE_0=true"), dir)
		require.NoError(t, err)
		require.NoError(t, repo.CloneAt(t.Context(), filepath.Join(t.TempDir(), "at"), head), setting)
	}
}

// What git has locked is seen before anything is written, whether a commit needs it or a tag.
func TestLocked(t *testing.T) {
	dir, run := newRepo(t)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	for _, name := range []string{"", "HEAD", "refs/heads/main", "refs/tags/v1.0.0", "refs/tags/pkg/v1.0.0"} {
		lock := filepath.Join(dir, ".git", filepath.FromSlash(name)+".lock")
		if name != "" {
			write(t, dir, ".git/"+name+".lock", "")
		}
		ofGit, err := repo.Unwritable(t.Context())
		require.NoError(t, err)
		ofTags, err := repo.TagTroubles(t.Context(), []string{"v1.0.0", "pkg/v1.0.0"})
		require.NoError(t, err)
		found := append(ofGit, ofTags...)
		if name == "" {
			require.Empty(t, found)
			continue
		}
		require.Len(t, found, 1, name)
		require.Contains(t, found[0].Error(), filepath.FromSlash(name))
		require.Contains(t, found[0].Next, lock)
		require.NoError(t, os.Remove(lock))
	}
}

// Replacements (git replace) are this clone's alone: what differs by one counts as a change, and what a commit has is what it has
// everywhere.
func TestReplaced(t *testing.T) {
	dir, run := newRepo(t)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	first := gitOK(t, run, dir, "rev-parse", "HEAD")
	write(t, dir, "sub/file", "replaced\n")
	gitOK(t, run, dir, "commit", "-q", "-a", "-m", "feat: in its place")
	gitOK(t, run, dir, "replace", first, "HEAD")
	gitOK(t, run, dir, "reset", "-q", "--hard", first)
	text := func(dir string) string {
		data, err := os.ReadFile(filepath.Join(dir, "sub", "file"))
		require.NoError(t, err)
		return string(data)
	}
	require.Equal(t, "replaced\n", text(dir))

	changes, err := repo.Changes(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"sub/file"}, changes)
	at, out := filepath.Join(t.TempDir(), "at"), filepath.Join(t.TempDir(), "out")
	require.NoError(t, repo.CloneAt(t.Context(), at, first))
	require.Equal(t, "first\n", text(at))
	require.NoError(t, repo.Export(t.Context(), first, ".", out))
	require.Equal(t, "first\n", text(out))

	gitOK(t, run, dir, "reset", "-q", "--hard", "HEAD@{1}") // a graft alone changes no file
	gitOK(t, run, dir, "replace", "-d", first)
	gitOK(t, run, dir, "replace", "--graft", "HEAD")
	changes, err = repo.Changes(t.Context())
	require.NoError(t, err)
	require.Empty(t, changes)
}
