package gitrepo_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// A checkout of a tag in CI may lack all branches, or part of their history. In both cases the result is unknown, without an error.
func TestBranchesWith(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	runner := command.NewSystem(os.Environ(), nil)
	git := func(dir string, args ...string) {
		t.Helper()
		args = append([]string{"-c", "user.name=dev", "-c", "user.email=dev@example.org", "-c", "protocol.file.allow=always"}, args...)
		require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: dir}))
	}
	remote := filepath.Join(top, "remote")
	git(top, "init", "-q", "-b", "main", remote)
	git(remote, "commit", "-q", "--allow-empty", "-m", "first")
	git(remote, "tag", "v1")
	git(remote, "commit", "-q", "--allow-empty", "-m", "second")
	git(remote, "switch", "-q", "--detach", "v1")
	git(remote, "commit", "-q", "--allow-empty", "-m", "on no branch")
	git(remote, "tag", "v2")
	git(remote, "switch", "-q", "main")
	from := "file://" + remote
	for _, c := range []struct {
		name, tag string
		clone     [][]string
		having    []string
		known     bool
	}{
		{"all of it", "v1", [][]string{{"clone", "-q", from, "."}}, []string{"origin/HEAD", "origin/main"}, true},
		{"on no branch", "v2", [][]string{{"clone", "-q", from, "."}}, nil, true},
		{
			name: "only a tag, as in a CI checkout",
			tag:  "v1",
			clone: [][]string{
				{"init", "-q", "."},
				{"remote", "add", "origin", from},
				{"fetch", "-q", "--no-tags", "--depth=1", "origin", "+refs/tags/v1:refs/tags/v1"},
			},
			having: nil,
			known:  false,
		},
		{
			name: "a shallow clone that ends above the tag",
			tag:  "v1",
			clone: [][]string{
				{"clone", "-q", "--depth=1", from, "."},
				{"fetch", "-q", "--no-tags", "--depth=1", "origin", "+refs/tags/v1:refs/tags/v1"},
			},
			having: nil,
			known:  false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, args := range c.clone {
				git(dir, args...)
			}
			repo, err := gitrepo.Open(t.Context(), runner, dir)
			require.NoError(t, err)
			commit, err := repo.Resolve(t.Context(), c.tag)
			require.NoError(t, err)
			having, known, err := repo.BranchesWith(t.Context(), commit)
			require.NoError(t, err)
			require.Equal(t, c.known, known)
			require.Subset(t, c.having, having)
			require.Equal(t, len(c.having) > 0, len(having) > 0)
		})
	}
}

// counted counts how many times its child processes write to us.
type counted struct {
	*command.System
	writes int
}

func (c *counted) Run(ctx context.Context, cmd command.Cmd) error {
	if cmd.Stdout != nil {
		cmd.Stdout = countingWriter{Writer: cmd.Stdout, of: c}
	}
	return c.System.Run(ctx, cmd)
}

type countingWriter struct {
	io.Writer
	of *counted
}

func (w countingWriter) Write(p []byte) (int, error) {
	w.of.writes++
	return w.Writer.Write(p)
}

// Git writes a history in few large pieces, because a write per commit takes as long as reading the commit.
func TestHistoryIsReadInFewPieces(t *testing.T) {
	dir, run := gitrepotest.New(t)
	var stream strings.Builder
	const commits = 2000
	for i := range commits {
		fmt.Fprintf(&stream, "commit refs/heads/long\ncommitter a <a@b> %d +0000\ndata 3\nfix\nM 100644 inline f\ndata 4\n%04d\n", 1_600_000_000+i, i)
	}
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"fast-import", "--quiet"}, Dir: dir, Stdin: strings.NewReader(stream.String())}))
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"switch", "-q", "long"}, Dir: dir}))
	c := &counted{System: run.(*command.System)}
	repo, err := gitrepo.Open(t.Context(), c, dir)
	require.NoError(t, err)
	c.writes = 0
	seen := 0
	require.NoError(t, repo.EachCommit(t.Context(), "", func(c gitrepo.Commit) {
		require.Equal(t, []string{"f"}, c.Paths)
		seen++
	}))
	require.Equal(t, commits, seen)
	require.Less(t, c.writes, commits/10)
}
