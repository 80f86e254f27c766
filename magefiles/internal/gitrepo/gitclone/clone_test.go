package gitclone_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// A SHA-256 repository works like any other.
func TestSHA256(t *testing.T) {
	t.Parallel()
	_, run := gitrepotest.New(t)
	dir := t.TempDir()
	git := func(args ...string) string { return gitrepotest.Git(t, run, dir, args...) }
	git("init", "-q", "-b", "main", "--object-format=sha256", ".")
	gitrepotest.Write(t, dir, "sub/file", "first\n")
	git("add", "-A")
	git("commit", "-q", "-m", "feat: first")
	gitrepotest.AddRemote(t, dir, git)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	gitrepotest.Write(t, dir, "sub/file", "second\n")
	hash, err := repo.Commit(t.Context(), []string{"sub/file"}, "release: v1\n")
	require.NoError(t, err)
	require.Len(t, hash, 64)
	require.NoError(t, repo.Tag(t.Context(), "v1", hash, "v1\n"))
	require.NoError(t, gitremote.Push(t.Context(), repo, "origin", hash, "main", "v1"))
	refs, err := gitremote.Read(t.Context(), repo, "origin")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"v1": hash}, refs.Tags)
	log, err := repo.Log(t.Context(), "HEAD^")
	require.NoError(t, err)
	first, err := repo.Resolve(t.Context(), "HEAD^")
	require.NoError(t, err)
	require.Equal(t, []gitrepo.Commit{{Hash: hash, Parents: []string{first}, Subject: "release: v1", Paths: []string{"sub/file"}}}, log)
	by, err := repo.LineOrigin(t.Context(), "HEAD", "sub/file", 1)
	require.NoError(t, err)
	require.Equal(t, hash, by)
	has, err := repo.Contains(t.Context(), hash, "1111111111111111111111111111111111111111111111111111111111111111")
	require.NoError(t, err)
	require.False(t, has)
	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, gitclone.Borrow(t.Context(), repo, clone, hash))
	require.Equal(t, hash, gitrepotest.Git(t, run, clone, "rev-parse", "HEAD"))
	require.NoError(t, gitclone.Export(t.Context(), repo, hash, ".", filepath.Join(t.TempDir(), "export")))
}

// A partial clone can be cloned, whatever its filter is. The remote is needed only for missing objects of the commit itself.
func TestPartialClones(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{"blob:none", "tree:0", "blob:limit=3"} {
		t.Run(filter, func(t *testing.T) {
			t.Parallel()
			dir, run := gitrepotest.New(t)
			git := func(args ...string) string { return gitrepotest.Git(t, run, dir, args...) }
			first := git("rev-parse", "HEAD")
			gitrepotest.Write(t, dir, "sub/file", "second\n")
			git("commit", "-q", "-a", "-m", "feat: second")
			bare := gitrepotest.AddRemote(t, dir, git)
			gitrepotest.Git(t, run, bare, "config", "uploadpack.allowFilter", "true")
			gitrepotest.Git(t, run, bare, "config", "uploadpack.allowAnySHA1InWant", "true")
			partial := filepath.Join(t.TempDir(), "partial")
			gitrepotest.Git(t, run, dir, "clone", "-q", "--filter="+filter, "file://"+bare, partial)
			repo, err := gitrepo.Open(t.Context(), run, partial)
			require.NoError(t, err)
			head, err := repo.Head(t.Context())
			require.NoError(t, err)

			require.NoError(t, os.Rename(bare, bare+".away"))
			clone := filepath.Join(t.TempDir(), "clone")
			require.NoError(t, gitclone.Borrow(t.Context(), repo, clone, head.Commit), "the clone has all objects of the checked-out commit")
			require.Equal(t, "second\n", gitrepotest.Files(t, filepath.Join(clone, "sub"))["file"])
			err = gitclone.Borrow(t.Context(), repo, clone+"-3", first)
			require.Contains(t, fmt.Sprintf("%+v", err), "this is a partial clone, and its missing objects cannot be fetched from origin")
			require.Contains(t, fmt.Sprintf("%+v", err), "does not appear to be a git repository")

			require.NoError(t, os.Rename(bare+".away", bare))
			require.NoError(t, gitclone.Borrow(t.Context(), repo, clone+"-4", first))
			require.Equal(t, "first\n", gitrepotest.Files(t, filepath.Join(clone+"-4", "sub"))["file"])
		})
	}
}

// A local repository can be cloned even if the user's protocol settings do not allow file URLs.
func TestCloneIfFileURLsAreForbidden(t *testing.T) {
	dir, run := gitrepotest.New(t)
	for name, r := range map[string]command.Runner{
		"by a setting":  gitrepotest.With(run, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=never"),
		"by a variable": gitrepotest.With(run, "GIT_ALLOW_PROTOCOL=https:ssh"),
		"by submodules": gitrepotest.With(run, "GIT_PROTOCOL_FROM_USER=0"),
		"template":      gitrepotest.With(run, "GIT_TEMPLATE_DIR="+filepath.Join(dir, "nothing")),
	} {
		repo, err := gitrepo.Open(t.Context(), r, dir)
		require.NoError(t, err)
		require.NoError(t, gitclone.Borrow(t.Context(), repo, filepath.Join(t.TempDir(), "clone"), "HEAD"), name)
	}
}

// A local clone does not check objects, even if the user's settings ask for it, because many old histories contain invalid objects.
func TestCloneOfAnInvalidHistory(t *testing.T) {
	dir, run := gitrepotest.New(t)
	blob := gitrepotest.Git(t, run, dir, "rev-parse", "HEAD:sub/file")
	raw, err := hex.DecodeString(blob)
	require.NoError(t, err)
	tree, err := command.Output(t.Context(), run, command.Cmd{
		Name:  "git",
		Args:  []string{"hash-object", "-t", "tree", "--literally", "-w", "--stdin"},
		Dir:   dir,
		Stdin: strings.NewReader("0100644 file\x00" + string(raw)),
	})
	require.NoError(t, err)
	faulty := gitrepotest.Git(t, run, dir, "commit-tree", "-p", "HEAD", "-m", "of another tool", tree)
	head := gitrepotest.Git(t, run, dir, "commit-tree", "-p", faulty, "-m", "of git", "HEAD^{tree}")
	gitrepotest.Git(t, run, dir, "update-ref", "HEAD", head)
	for _, setting := range []string{"transfer.fsckObjects", "fetch.fsckObjects"} {
		repo, err := gitrepo.Open(t.Context(), gitrepotest.With(run, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0="+setting, "GIT_CONFIG_VALUE_0=true"), dir)
		require.NoError(t, err)
		require.NoError(t, gitclone.Borrow(t.Context(), repo, filepath.Join(t.TempDir(), "at"), head), setting)
	}
}

// Replacements (git replace) are local to a clone and are ignored. A file that differs only because of a replacement counts as changed, and the
// commit's original content is used.
func TestReplaced(t *testing.T) {
	dir, run := gitrepotest.New(t)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	first := gitrepotest.Git(t, run, dir, "rev-parse", "HEAD")
	gitrepotest.Write(t, dir, "sub/file", "replaced\n")
	gitrepotest.Git(t, run, dir, "commit", "-q", "-a", "-m", "feat: in its place")
	gitrepotest.Git(t, run, dir, "replace", first, "HEAD")
	gitrepotest.Git(t, run, dir, "reset", "-q", "--hard", first)
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
	require.NoError(t, gitclone.Borrow(t.Context(), repo, at, first))
	require.Equal(t, "first\n", text(at))
	require.NoError(t, gitclone.Export(t.Context(), repo, first, ".", out))
	require.Equal(t, "first\n", text(out))

	gitrepotest.Git(t, run, dir, "reset", "-q", "--hard", "HEAD@{1}") // a graft alone does not change any file
	gitrepotest.Git(t, run, dir, "replace", "-d", first)
	gitrepotest.Git(t, run, dir, "replace", "--graft", "HEAD")
	changes, err = repo.Changes(t.Context())
	require.NoError(t, err)
	require.Empty(t, changes)
}

// A shallow clone with a detached HEAD, as in CI, can be cloned.
func TestCloneOfAShallowDetachedOne(t *testing.T) {
	dir, run := gitrepotest.New(t)
	shallow := filepath.Join(t.TempDir(), "shallow")
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"clone", "-q", "--depth=1", "file://" + dir, shallow}}))
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"checkout", "-q", "--detach"}, Dir: shallow}))
	repo, err := gitrepo.Open(t.Context(), run, shallow)
	require.NoError(t, err)
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	require.Empty(t, head.Branch)
	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, gitclone.Borrow(t.Context(), repo, clone, head.Commit))
	require.FileExists(t, filepath.Join(clone, "sub", "file"))
}
