package gitrepo_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// imported creates commits with `git fast-import` and returns their hashes. Parents are indexes of earlier commits; times are in seconds.
func imported(t *testing.T, run command.Runner, dir string, parents [][]int, times []int64) (names []string) {
	t.Helper()
	var in strings.Builder
	for n, of := range parents {
		fmt.Fprintf(&in, "commit refs/heads/c%d\nmark :%d\ncommitter A <a@example.com> %d +0000\ndata 1\nx\n", n, n+1, times[n])
		for i, p := range of {
			fmt.Fprintf(&in, "%s :%d\n", []string{"from", "merge"}[min(i, 1)], p+1)
		}
		in.WriteString("M 644 inline f\ndata <<E\n" + fmt.Sprint(n) + "\nE\n\n")
	}
	for n := range parents {
		fmt.Fprintf(&in, "get-mark :%d\n", n+1)
	}
	var out bytes.Buffer
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"fast-import", "--quiet", "--force"}, Dir: dir, Stdin: strings.NewReader(in.String()), Stdout: &out}))
	return strings.Fields(out.String())
}

// history returns a random history with branches and merges. Commit times are constant, or off by up to hours.
func history(r *rand.Rand, commits int) (parents [][]int, times []int64) {
	still := r.IntN(3) == 0
	for n := range commits {
		var of []int
		for range min(n, 1+r.IntN(2)) {
			if p := max(0, n-1-r.IntN(4)); len(of) == 0 || of[0] != p {
				of = append(of, p)
			}
		}
		parents = append(parents, of)
		when := int64(1767323046)
		if !still {
			when += int64(n*60) + int64(r.IntN(12*3600)) - 6*3600
		}
		times = append(times, when)
	}
	return parents, times
}

// Relate depends only on the commit graph, not on commit times.
func TestRelate(t *testing.T) {
	names := map[gitrepo.Relation]int{}
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 1))
		dir, run := gitrepotest.New(t)
		parents, times := history(r, 24)
		commits := imported(t, run, dir, parents, times)
		repo, err := gitrepo.Open(t.Context(), run, dir)
		require.NoError(t, err)
		before := make([]map[int]bool, len(parents))
		for n, of := range parents {
			before[n] = map[int]bool{}
			for _, p := range of {
				before[n][p] = true
				for q := range before[p] {
					before[n][q] = true
				}
			}
		}
		for range 25 {
			a, b := r.IntN(len(commits)), r.IntN(len(commits))
			want := gitrepo.Diverged
			switch {
			case a == b:
				want = gitrepo.Equal
			case before[a][b]:
				want = gitrepo.Earlier
			case before[b][a]:
				want = gitrepo.Later
			}
			got, err := repo.Relate(t.Context(), commits[a], commits[b])
			require.NoError(t, err)
			require.Equal(t, want, got, "seed %d, %d and %d of %v", seed, a, b, parents)
			names[got]++
		}
	}
	require.Len(t, names, 4, "every relation occurs")
}

// If a part of the history is missing, the relation of commits in that part is Unrelated. Other relations are still found.
func TestRelateWithAMissingHistory(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	var commits []string
	for n := range 5 {
		gitrepotest.Write(t, dir, "f", fmt.Sprint(n))
		git("add", "-A")
		git("commit", "-q", "-m", "x")
		commits = append(commits, git("rev-parse", "HEAD"))
	}
	git("switch", "-q", "-c", "side", commits[1])
	git("commit", "-q", "--allow-empty", "-m", "aside")
	side := git("rev-parse", "HEAD")
	git("tag", "-a", "-m", "x", "named", commits[0])
	relate := func(r *gitrepo.Repo, ours, theirs string) gitrepo.Relation {
		t.Helper()
		is, err := r.Relate(t.Context(), ours, theirs)
		require.NoError(t, err)
		return is
	}
	require.Equal(t, gitrepo.Diverged, relate(repo, side, commits[4]))
	for what, theirs := range map[string]string{
		"a commit of another repository": strings.Repeat("1", 40), "nothing": "", "a name": "named", "HEAD": "HEAD^", "an option": "--all", "changes": commits[0] + "-dirty",
		"an abbreviated hash": commits[0][:12], "a tag": git("rev-parse", "named"), "a tree": git("rev-parse", "HEAD^{tree}"), "two lines": commits[0] + "\n" + commits[1],
	} {
		require.Equal(t, gitrepo.Unrelated, relate(repo, side, theirs), what)
	}

	shallow := filepath.Join(t.TempDir(), "shallow")
	git("clone", "-q", "--depth=2", "--no-single-branch", "file://"+dir, shallow)
	_, run := gitrepotest.New(t)
	of, err := gitrepo.Open(t.Context(), run, shallow)
	require.NoError(t, err)
	require.Equal(t, gitrepo.Earlier, relate(of, commits[4], commits[3]))
	require.Equal(t, gitrepo.Later, relate(of, commits[3], commits[4]))
	require.Equal(t, gitrepo.Unrelated, relate(of, commits[4], commits[2]), "the clone lacks the commit")
	require.Equal(t, gitrepo.Unrelated, relate(of, commits[4], commits[1]), "the clone has both commits, but not the commits between them")

	git("replace", "--graft", commits[4])
	require.Equal(t, gitrepo.Earlier, relate(repo, commits[4], commits[3]), "replacement objects are ignored")
}
