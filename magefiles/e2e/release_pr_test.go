package e2e_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
)

// team lets main take pull requests alone, with a check that has to pass, and returns GitHub as a person asks it.
func (r *releasing) team(rules server.Rules) *github.Client {
	r.t.Helper()
	rules.Pulls, rules.Check = true, "ci"
	r.world.Hub.Protect("main", rules)
	require.NoError(r.t, r.world.Bare().Guard("", "main"))
	token, _ := command.Getenv(r.env, "GITHUB_TOKEN")
	client, err := github.New(github.Options{API: r.world.API, Repository: "octo/mono", Token: github.Token(token), Attempts: 1})
	require.NoError(r.t, err)
	return client
}

// proposed is the pull request, whose check ends as told.
func (r *releasing) proposed(c *github.Client, conclusion string) github.Pull {
	r.t.Helper()
	all, err := c.Pulls(r.t.Context(), "foopack/release-main")
	require.NoError(r.t, err)
	require.Len(r.t, all, 1)
	runs, err := c.Runs(r.t.Context(), github.Query{Commit: all[0].Commit, Event: "pull_request"})
	require.NoError(r.t, err)
	require.NotEmpty(r.t, runs)
	require.NoError(r.t, r.world.Hub.FinishRun(runs[0].ID, conclusion))
	return all[0]
}

// TestATeamsRelease goes the whole way from a laptop: main is protected, and its check fails once. It is merged by a squash with a message of its own, a
// merge, a rebase or a queue; somebody else has gone on by then. In a clone of the second person the release is killed once, in each case later in its
// journal, and run again.
func TestATeamsRelease(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		by, method string
	}{{"here", "squash"}, {"ci", "merge"}, {"here", "queue"}, {"here", "rebase"}, {"ci", "squash"}} {
		t.Run(c.by+", by a "+c.method, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: c.by})
			hub := r.team(server.Rules{Queue: c.method == "queue"})
			require.Contains(t, r.ok("release", "-pr", "-to=patch", "-yes"), "Release v0.1.7")
			require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
			require.Equal(t, "main", git(t, r.dir, "branch", "--show-current"))
			p := r.proposed(hub, "failure")
			require.Error(t, hub.MergePull(t.Context(), p.Number, "squash", ""), "the check has failed")
			runs, err := hub.Runs(t.Context(), github.Query{Commit: p.Commit})
			require.NoError(t, err)
			require.NoError(t, r.world.Hub.RerunRun(runs[0].ID))
			p = r.proposed(hub, "success")
			if c.method == "queue" {
				require.NoError(t, r.world.Hub.Enqueue(int64(p.Number), "success"))
			} else {
				require.NoError(t, hub.MergePull(t.Context(), p.Number, c.method, "All of it (#"+strconv.Itoa(p.Number)+")\n\nand more"))
			}
			landed := git(t, r.world.Remote, "rev-parse", "main")

			r.dir = r.newClone() // of the second person, after whose work main is further
			git(t, r.dir, "switch", "-q", "-c", "later")
			r.commit("feat: later", map[string]string{"packages/core/later.txt": "x\n"})
			git(t, r.dir, "push", "-q", "origin", "later")
			r.merge("later", true)
			git(t, r.dir, "switch", "-q", "main")
			git(t, r.dir, "pull", "-q")

			if !r.killed([]string{"release", "-yes"}, func() bool { return r.journalLines() >= 5+4*i }) {
				require.True(t, r.ended())
			}
			if !r.ended() {
				require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
			}
			_, tags := r.remote()
			require.Equal(t, []string{"v0.1.7"}, tags)
			require.Equal(t, landed, git(t, r.world.Remote, "rev-parse", "v0.1.7^{commit}"), "the first commit that has the versions")
			require.Equal(t, 1, strings.Count(git(t, r.world.Remote, "log", "--first-parent", "--format=%H", "-S", "0.1.7", "main", "--", "packages/core/pixi.toml"), "\n")+1)
			require.Len(t, r.onChannel(), 3)
			published, drafts := r.world.Hub.Published()
			require.Zero(t, drafts)
			require.Len(t, published, 1)
			require.Equal(t, 1, published[0].Times)
			require.Contains(t, r.ok("release", "-to=0.1.7", "-yes"), "v0.1.7 is released")
		})
	}
}

// TestATeamsReleaseKilledAtEveryBoundary has one release after the other land. Each is killed in a clone right after an entry of its journal, run again as it
// was, and killed again seven steps of the journal later; the next one begins with the entry after that, so that all are hit. It comes to one commit, one tag at what was
// merged, each artifact and each GitHub release once.
func TestATeamsReleaseKilledAtEveryBoundary(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	hub := r.team(server.Rules{})
	methods := []string{"squash", "merge", "rebase"}
	const apart = 7
	kills := 0
	for entries := 1; entries <= apart; entries++ {
		version := "0.1." + strconv.Itoa(6+entries)
		r.ok("release", "-pr", "-to=patch", "-yes")
		all, err := hub.Pulls(t.Context(), "foopack/release-main")
		require.NoError(t, err)
		runs, err := hub.Runs(t.Context(), github.Query{Commit: all[0].Commit, Event: "pull_request"})
		require.NoError(t, err)
		require.NoError(t, r.world.Hub.FinishRun(runs[0].ID, "success"))
		require.NoError(t, hub.MergePull(t.Context(), all[0].Number, methods[entries%3], ""))
		landed := git(t, r.world.Remote, "rev-parse", "main")
		git(t, r.dir, "pull", "-q")

		before, reached, next := r.journalFile(), entries, entries
		for r.killed([]string{"release", "-yes"}, func() bool { return r.journalFile() != before && r.journalLines() >= next }) && !r.ended() {
			kills++
			next = r.journalLines() + reached + apart // what was reached is looked at again first
			reached += apart
		}
		require.True(t, r.ended())
		require.Contains(t, r.ok("release", "-to="+version, "-yes"), "v"+version+" is released")
		require.Equal(t, landed, git(t, r.world.Remote, "rev-parse", "v"+version+"^{commit}"), "after %d entries", entries)
		require.Equal(t, landed, git(t, r.world.Remote, "rev-parse", "main"), "nothing else was pushed")
		_, tags := r.remote()
		require.Len(t, tags, entries)
		require.Len(t, r.onChannel(), 3*entries)
		published, drafts := r.world.Hub.Published()
		require.Zero(t, drafts)
		require.Len(t, published, entries)
		for _, p := range published {
			require.Equal(t, 1, p.Times, p.Tag)
			require.Len(t, p.Assets, 3, p.Tag)
		}
	}
	require.Greater(t, kills, 2*apart, "there are that many entries at least")
}

// TestReleaseWhereReleasesLandByAPullRequest says of each command line what is next, and does nothing else.
func TestReleaseWhereReleasesLandByAPullRequest(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: configured("land = \"pull-request\"\n")})
	hub := r.team(server.Rules{})
	require.Contains(t, r.refused(2, "has not landed on main", "release", "-to=patch", "-yes"), "`mage release -pr -to=patch`")
	require.Contains(t, r.refused(2, "nothing has landed on main", "release", "-yes"), "`mage release -pr -to=patch` proposes")
	require.Contains(t, r.ok("version:plan", "-to=patch"), "→ `mage release -pr -to=patch`")
	r.untouched()
	r.ok("release", "-pr", "-to=patch", "-yes")
	p := r.proposed(hub, "success")
	require.NoError(t, hub.MergePull(t.Context(), p.Number, "squash", ""))
	require.Contains(t, r.refused(1, "the clone is behind origin/main", "release", "-yes"), "`git pull`")
	git(t, r.dir, "pull", "-q")
	require.Contains(t, r.ok("release", "-pr", "-to=minor", "-yes"), "v0.1.7 is on main, and not tagged: `mage release` goes on with it")

	require.NoError(t, r.world.Bare().Guard("v*", "main"))
	require.Contains(t, r.refused(1, "origin refused the tag of v0.1.7, and has its commit already", "release", "-yes"), "the rules of origin for tags")
	require.Empty(t, r.onChannel())
	require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 is in this clone only. To take it back:\n  no commit\n  remove tag v0.1.7 of this clone\n")
	require.Empty(t, git(t, r.dir, "tag", "--list", "v0.1.7"))
	require.NoError(t, r.world.Bare().Guard("", "main"))
	write(t, r.dir, "packages/core/more.txt", "x\n")
	out := r.ok("release", "-to=0.1.7", "-yes")
	require.Contains(t, out, "v0.1.7 is released")
	require.Contains(t, out, "the work tree has changes that are no part of this release")
	require.Regexp(t, `push +\S+ +the tags at [0-9a-f]{12}, to origin`, out)
	require.NoError(t, os.Remove(filepath.Join(r.dir, "packages/core/more.txt")))
	r.released("0.1.7")
}

// TestTheJobsOfAReleasePullRequest runs the command lines of release-pr.yml as a job does: what has landed is the job's output, the first line of the
// pull request says what to press, and the tag is pushed before release.yml is asked for.
func TestTheJobsOfAReleasePullRequest(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	hub := r.team(server.Rules{})
	output := filepath.Join(t.TempDir(), "output")
	r.env = command.Setenv(r.env, "GITHUB_ACTIONS=true", "CI=true", "GITHUB_OUTPUT="+output)
	r.refused(2, "-tag is for what a pull request has landed", "release", "-tag=abc")
	r.refused(2, "-announce takes what was uploaded", "publish", "-announce")
	r.ok("release", "-pr", "-to=patch", "-yes")
	p := r.proposed(hub, "success")
	require.True(t, strings.HasPrefix(p.Body, "**A job opened this"), p.Body)
	token, _ := command.Getenv(r.env, "GITHUB_TOKEN")
	r.env = command.Setenv(r.env, "RELEASE_PR_TOKEN="+token, "GITHUB_TOKEN=ghp_of_nobody_at_all")
	r.ok("release", "-pr", "-to=patch", "-yes")
	p = r.proposed(hub, "success")
	require.False(t, strings.HasPrefix(p.Body, "**A job opened this"), p.Body)

	require.NoError(t, hub.MergePull(t.Context(), p.Number, "squash", ""))
	landed := git(t, r.world.Remote, "rev-parse", "main")
	r.ok("release", "-pr", "-to=auto", "-yes")
	require.Equal(t, "landed=\nlanded=\nlanded="+landed+"\n", readFile(t, filepath.Dir(output), "output"))
	git(t, r.dir, "pull", "-q")
	r.env = command.Setenv(command.Unset(r.env, "RELEASE_PR_TOKEN"), "GITHUB_TOKEN="+token)
	require.Contains(t, r.refused(1, "asking octo/mono for a run of release.yml at v0.1.7", "release", "-pr", "-tag="+landed), "the tag is pushed")
	require.Equal(t, landed, git(t, r.world.Remote, "rev-parse", "v0.1.7^{commit}"))
	require.NotContains(t, r.said.String(), token)
	r.env = command.Unset(r.env, "GITHUB_ACTIONS", "CI")
	require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released", "a laptop goes on")
}
