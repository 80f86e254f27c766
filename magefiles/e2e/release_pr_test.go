package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// team configures main to accept only pull requests that have passed the check, and returns a GitHub client with a user's token.
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

// proposed ends the check of the open pull request with the given conclusion and returns the pull request.
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

// TestATeamsRelease makes whole releases from a laptop. main is protected, and the check fails once. The pull request is merged as a squash with
// another message, as a merge, as a rebase or by a queue, and other work lands after it. In a second user's clone the release is killed once and run
// again. Each case kills it at a later entry of its journal.
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

			r.dir = r.newClone() // the clone of the second user, whose work lands after the release
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

// boundary is the point that a release has reached after a journal entry: within a step or after it. The plan and the end count as steps.
type boundary struct {
	step string
	at   workflow.Kind // Started or Done
}

// TestATeamsReleaseKilledAtEveryBoundary kills a landed release right after each kind of journal entry: the plan, the start of each step, and each
// step that is done, found or skipped. For each done step it also removes the entry once, as if the kill came before the entry was on disk. The next
// run continues and is killed one entry later, until a run completes. In the end there is one commit, one tag at the merged commit, each artifact
// once, and one GitHub release.
func TestATeamsReleaseKilledAtEveryBoundary(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	hub := r.team(server.Rules{})
	hit, forgotten := map[boundary]bool{}, map[string]bool{}
	for release, missed := 1, 1; missed > 0; release++ { // a kill that comes late misses an entry, which the next release retries
		require.LessOrEqual(t, release, 5, "entries are missed again and again")
		version := "0.1." + strconv.Itoa(6+release)
		r.ok("release", "-pr", "-to=patch", "-yes")
		all, err := hub.Pulls(t.Context(), "foopack/release-main")
		require.NoError(t, err)
		runs, err := hub.Runs(t.Context(), github.Query{Commit: all[0].Commit, Event: "pull_request"})
		require.NoError(t, err)
		require.NoError(t, r.world.Hub.FinishRun(runs[0].ID, "success"))
		require.NoError(t, hub.MergePull(t.Context(), all[0].Number, []string{"squash", "merge", "rebase"}[release%3], ""))
		landed := git(t, r.world.Remote, "rev-parse", "main")
		git(t, r.dir, "pull", "-q")

		before := r.journalFile()
		moment := func() bool {
			if r.journalFile() == before {
				return false
			}
			at, fresh, _ := r.boundaries()
			return slices.ContainsFunc(at, func(b boundary) bool { return !hit[b] }) || fresh != "" && !forgotten[fresh]
		}
		for r.killed([]string{"release", "-yes"}, moment) && !r.ended() {
			at, fresh, without := r.boundaries()
			if fresh != "" && !forgotten[fresh] {
				forgotten[fresh] = true
				require.NoError(t, os.WriteFile(r.journalFile(), without, 0o644))
				continue
			}
			for _, b := range at {
				hit[b] = true
			}
		}
		require.True(t, r.ended())
		missed = 0
		past, err := trace.Last(filepath.Join(r.dir, ".git", "pixi-release"))
		require.NoError(t, err)
		for _, e := range past.Events {
			if !hit[boundaryOf(e)] {
				missed++
			}
		}
		for _, step := range []string{trace.StepCheck, trace.StepBuild, trace.StepImport, trace.StepTag, trace.StepPush, trace.StepPublish, trace.StepVerify, trace.StepHub} {
			if !forgotten[step] || !hit[boundary{step, workflow.Started}] || !hit[boundary{step, workflow.Done}] {
				missed++
			}
		}
		require.Contains(t, r.ok("release", "-to="+version, "-yes"), "v"+version+" is released")
		require.Equal(t, landed, git(t, r.world.Remote, "rev-parse", "v"+version+"^{commit}"))
		require.Equal(t, landed, git(t, r.world.Remote, "rev-parse", "main"), "nothing else was pushed")
		_, tags := r.remote()
		require.Len(t, tags, release)
		require.Len(t, r.onChannel(), 3*release)
		published, drafts := r.world.Hub.Published()
		require.Zero(t, drafts)
		require.Len(t, published, release)
		for _, p := range published {
			require.Equal(t, 1, p.Times, p.Tag)
			require.Len(t, p.Assets, 3, p.Tag)
		}
	}
	t.Logf("killed at %d boundaries, and of %d steps before it was known that they are done", len(hit), len(forgotten))
}

// boundaryOf returns the boundary after an event. A step that is done, found or skipped counts as completed.
func boundaryOf(e workflow.Event) boundary {
	if e.Kind == workflow.Started {
		return boundary{e.Step, workflow.Started}
	}
	return boundary{e.Step, workflow.Done}
}

// boundaries returns the boundaries that the last release has reached with its last journal entry. Nothing happens between the end of a step and the
// start of the next one, so if the last entry is the start of a step, it returns both boundaries. `fresh` is the last completed step, if the entry
// before its end is its start. `without` is the journal up to, but not including, that end.
func (r *releasing) boundaries() (at []boundary, fresh string, without []byte) {
	data, err := os.ReadFile(r.journalFile())
	require.NoError(r.t, err)
	var all []workflow.Event
	var begins []int
	for line := range bytes.Lines(data[:bytes.LastIndexByte(data, '\n')+1]) {
		entry, e := journal.Entry{}, workflow.Event{}
		require.NoError(r.t, json.Unmarshal(line, &entry))
		if e = (workflow.Event{Step: "the " + entry.Kind, Kind: workflow.Done}); entry.Kind == "step" {
			require.NoError(r.t, json.Unmarshal(entry.Body, &e))
		}
		all, begins = append(all, e), append(begins, len(without))
		without = data[:len(without)+len(line)]
	}
	last := len(all) - 1
	at = append(at, boundaryOf(all[last]))
	if all[last].Kind == workflow.Started {
		last--
		at = append(at, boundaryOf(all[last]))
	}
	if last > 0 && all[last].Kind == workflow.Done && all[last-1].Kind == workflow.Started && all[last-1].Step == all[last].Step {
		fresh = all[last].Step
	}
	return at, fresh, data[:begins[last]]
}

// TestCommandsRunTooEarlyWithPullRequests checks that each command that is run too early is refused with a next step. The release succeeds after
// the merge, even after the remote refused the tag and the release was undone.
func TestCommandsRunTooEarlyWithPullRequests(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: configured("land = \"pull-request\"\n")})
	hub := r.team(server.Rules{})
	require.Contains(t, r.refused(2, "has not landed on main", "release", "-to=patch", "-yes"), "`mage release -pr -to=patch`")
	require.Contains(t, r.refused(2, "every version that has landed on main is tagged", "release", "-yes"), "run `mage release -pr -to=patch`")
	require.Contains(t, r.ok("version:plan", "-to=patch"), "→ `mage release -pr -to=patch`")
	r.untouched()
	r.ok("release", "-pr", "-to=patch", "-yes")
	p := r.proposed(hub, "success")
	require.NoError(t, hub.MergePull(t.Context(), p.Number, "squash", ""))
	require.Contains(t, r.refused(1, "the clone is behind origin/main", "release", "-yes"), "`git pull`")
	git(t, r.dir, "pull", "-q")
	require.Contains(t, r.refused(3, "v0.1.7 is on main, but not tagged", "release", "-pr", "-to=minor", "-yes"), "run `git pull` and `mage release` to continue this release")

	require.NoError(t, r.world.Bare().Guard("v*", "main"))
	require.Contains(t, r.refused(1, "origin refused the tag of v0.1.7, but has the release's commit already", "release", "-yes"), "the tag rules of origin")
	require.Empty(t, r.onChannel())
	said := r.ok("undo", "-yes")
	require.Contains(t, said, "v0.1.7 is only in this clone. To undo the release:\n  no commit\n  remove tag v0.1.7 of this clone\n")
	require.Contains(t, said, "→ fix the problem, then `mage release -to=0.1.7` releases it after all\n")
	require.Empty(t, git(t, r.dir, "tag", "--list", "v0.1.7"))
	r.undone("landed by a pull request")
	require.NoError(t, r.world.Bare().Guard("", "main"))
	write(t, r.dir, "packages/core/more.txt", "x\n")
	out := r.ok("release", "-to=0.1.7", "-yes")
	require.Contains(t, out, "v0.1.7 is released")
	require.Contains(t, out, "without these changes in the work tree")
	require.Regexp(t, `push +\S+ +the tags at [0-9a-f]{12}, to origin`, out)
	require.NoError(t, os.Remove(filepath.Join(r.dir, "packages/core/more.txt")))
	r.released("0.1.7")
}

// TestJobsOfAReleasePullRequest runs the command lines of release-pr.yml as a job does. The job outputs the landed commit, the first line of the
// pull request says which button to press, and the tag is pushed before a run of release.yml is requested.
func TestJobsOfAReleasePullRequest(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	hub := r.team(server.Rules{})
	output := filepath.Join(t.TempDir(), "output")
	r.env = command.Setenv(r.env, "GITHUB_ACTIONS=true", "CI=true", "GITHUB_OUTPUT="+output)
	r.refused(2, "-tag needs -pr: it tags the versions that a pull request has landed", "release", "-tag=abc")
	r.refused(2, "-announce needs -from and -digests of the uploaded packages", "publish", "-announce")
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
	require.Contains(t, r.refused(1, "asking octo/mono for a run of release.yml at v0.1.7", "release", "-pr", "-tag="+landed), "the tag is already pushed")
	require.Equal(t, landed, git(t, r.world.Remote, "rev-parse", "v0.1.7^{commit}"))
	require.NotContains(t, r.said.String(), token)
	r.env = command.Unset(r.env, "GITHUB_ACTIONS", "CI")
	require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released", "a laptop goes on")
}
