package e2e_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/rehearsal"
)

// landing makes a clone whose releases land by pull requests. The clone contains the files that ci:write generates for it.
func landing(t *testing.T, o releaseOptions) *releasing {
	t.Helper()
	o.files = map[string]string{
		"pixi.lock":             "version: 7\n", // setup-pixi installs the pixi stand-in
		"go.mod":                "module example.invalid/mono\n\ngo 1.26\n\ntool github.com/magefile/mage\n",
		"magefiles/magefile.go": "//go:build mage\n\npackage main\n\nimport (\n\t// mage:import\n\t_ \"github.com/foopack/foopack/magefiles/targets\"\n)\n",
		"pixi.toml":             strings.Replace(configured("")["pixi.toml"], `publish = "here"`, "land = \"pull-request\"\npublish = \""+o.by+"\"", 1),
	}
	r := newReleasing(t, o)
	r.ok("ci:write")
	r.pushAll("ci: write the workflow files")
	return r
}

// TestRehearseAPullRequestRelease rehearses a release that is proposed, merged and completed, both from here and by the jobs of the release-pr.yml
// and release.yml that ci:write generated.
func TestRehearseAPullRequestRelease(t *testing.T) {
	t.Parallel()
	t.Run("here", func(t *testing.T) {
		t.Parallel()
		out := landing(t, releaseOptions{by: "here"}).rehearsed("-to=minor")
		require.Contains(t, out, `is proposed by a person`)
		require.Contains(t, out, "its check has passed; squashed to ")
		require.Contains(t, out, "✓ publish")
		require.Contains(t, out, "mono v0.2.0 was rehearsed: 3 packages published to an embedded channel from here")
		require.Contains(t, out, "→ `mage release -pr -to=minor`")
	})
	t.Run("here, with faults", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, landing(t, releaseOptions{by: "here"}).rehearsed("-faults=3"), "mono v0.1.7 was rehearsed: 3 packages published")
	})
	t.Run("the commit of such a pull request, as ci.yml has it", func(t *testing.T) {
		t.Parallel()
		r := landing(t, releaseOptions{by: "here"})
		r.ok("version:bump", "-to=minor", "-commit", "-yes")
		out := r.rehearsed()
		require.Contains(t, out, "v0.2.0 has landed with this commit and is not tagged, so the rest of the release is rehearsed")
		require.Contains(t, out, "mono v0.2.0 was rehearsed: 3 packages published to an embedded channel from here")
		require.Contains(t, out, "→ `mage release`\n")
	})
	t.Run("what main has and no tag, without pull requests", func(t *testing.T) {
		t.Parallel()
		r := newReleasing(t, releaseOptions{by: "here"})
		r.ok("version:bump", "-to=minor", "-commit", "-yes")
		git(t, r.dir, "push", "-q", "origin", "main")
		out := r.rehearsed()
		require.Contains(t, out, "v0.2.0 has landed with this commit and is not tagged, so the rest of the release is rehearsed")
		require.Contains(t, out, "mono v0.2.0 was rehearsed: 3 packages published to an embedded channel from here")
		require.Contains(t, out, "→ `mage release`\n")
	})
	t.Run("ci", func(t *testing.T) {
		t.Parallel()
		r := landing(t, releaseOptions{by: "ci"})
		r.commit("feat: something", map[string]string{"packages/core/src/mono_core/more.py": "N = 1\n"})
		git(t, r.dir, "push", "-q", "origin", "main")
		out := r.rehearsed()
		require.Contains(t, out, "propose the release: success, check: skipped, tag: skipped")
		require.Contains(t, out, `"Release v0.2.0", is proposed`+"\n", "a job has proposed what the commits ask for")
		require.Equal(t, 1, strings.Count(out, "after someone pressed \"Approve and run\" once, because a job opened the pull request; squashed to "))
		require.Contains(t, out, "propose the release: success, check what has landed: success, tag it: success")
		require.Contains(t, out, "v0.2.0: 3 packages published, and the GitHub release made")
		require.Contains(t, out, "mono v0.2.0 was rehearsed: 3 packages published to an embedded channel by an embedded CI")
		require.Contains(t, out, "✓ build them a second time", "without a laptop, there is no other build to compare")
		require.Contains(t, out, "site: mono-core 0.1.6 → 0.2.0")
		require.NotContains(t, out, "! look at", "nothing in the files is doubtful")
		require.NotContains(t, out, "the job tag", "each job ran once")

		r.commit("ci: let the tag alone", map[string]string{".github/workflows/release-pr.yml": strings.Replace(readFile(t, r.dir, ".github/workflows/release-pr.yml"), "      actions: write", "      actions: read", 1)})
		require.Contains(t, r.refused(1, "the workflow release-pr.yml failed", "rehearse"), "the job may: actions: read, contents: write, pull-requests: read")
	})
}

// A team releases only by CI jobs. main accepts only pull requests that have passed the check. With an App's token, no manual step is needed. With
// GITHUB_TOKEN, a user has to press "Approve and run" once.
func TestATeamsReleaseByJobs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		app    string // client ID of the app
		token  string // RELEASE_PR_TOKEN
		method string
	}{
		"an App":                    {app: "Iv23", method: "squash"},
		"another account":           {token: "ghs_of_another_account", method: "rebase"},
		"GITHUB_TOKEN":              {method: "merge"},
		"GITHUB_TOKEN, and a queue": {method: "queue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := landing(t, releaseOptions{by: "ci", secrets: map[string]string{"RELEASE_PR_TOKEN": c.token}, variables: map[string]string{"RELEASE_PR_APP": c.app}})
			byJob := c.app == "" && c.token == ""
			if c.token != "" {
				r.world.Hub.GrantApp(c.token, map[string]string{"contents": "write", "pull-requests": "write"})
			}
			good := readFile(t, r.dir, ".github/workflows/release-pr.yml")
			poor := strings.Replace(good, "      contents: write # pushes the tag", "      contents: read", 1)
			r.commit("fix: something", map[string]string{"packages/core/src/mono_core/more.py": "N = 1\n", ".github/workflows/release-pr.yml": poor})
			git(t, r.dir, "push", "-q", "origin", "main")
			hub := r.team(server.Rules{Queue: c.method == "queue"})
			pushed := func() rehearsal.Job {
				job, err := r.world.Proposes(t.Context(), "main", r.base)
				require.NoError(t, err)
				return job
			}

			job := pushed()
			if byJob {
				require.False(t, job.OK)
				require.Contains(t, job.Log, "Allow GitHub Actions to create and approve pull requests")
				r.world.Hub.JobsOpen = true
				job = pushed()
			}
			require.True(t, job.OK, job.Log)
			all, err := hub.Pulls(t.Context(), "foopack/release-main")
			require.NoError(t, err)
			require.Len(t, all, 1)
			p := all[0]
			require.Equal(t, "Release v0.1.7", p.Title)
			require.Equal(t, byJob, strings.HasPrefix(p.Body, "**A job opened this"), p.Body)
			checks, err := hub.Runs(t.Context(), github.Query{Commit: p.Commit, Event: "pull_request"})
			require.NoError(t, err)
			require.Len(t, checks, 1)
			require.Error(t, hub.MergePull(t.Context(), p.Number, "squash", ""), "its check has not passed")
			clicks := 0
			if checks[0].Conclusion == "action_required" {
				clicks++
				require.NoError(t, hub.ApproveRun(t.Context(), checks[0].ID))
			}
			require.NoError(t, r.world.Hub.FinishRun(checks[0].ID, "success"))
			require.Equal(t, map[bool]int{true: 1}[byJob], clicks)
			if c.method == "queue" {
				require.NoError(t, r.world.Hub.Enqueue(int64(p.Number), "success"))
			} else {
				require.NoError(t, hub.MergePull(t.Context(), p.Number, c.method, ""))
			}
			landed := git(t, r.world.Remote, "rev-parse", "main")

			job = pushed()
			require.False(t, job.OK, "the job that tags may not push")
			_, tags := r.remote()
			require.Empty(t, tags)
			git(t, r.dir, "pull", "-q")
			r.commit("ci: let it", map[string]string{".github/workflows/release-pr.yml": good})
			git(t, r.dir, "push", "-q", "--receive-pack=git -c core.hooksPath=/dev/null receive-pack", "origin", "main")
			for range 2 { // the second push has nothing to do
				job = pushed()
				require.True(t, job.OK, job.Log)
				r.world.Settle()
			}
			var may []string
			for _, j := range job.Run.Jobs {
				may = append(may, j.Conclusion)
			}
			require.Equal(t, []string{"success", "skipped", "skipped"}, may)

			_, tags = r.remote()
			require.Equal(t, []string{"v0.1.7"}, tags)
			require.Equal(t, landed, git(t, r.world.Remote, "rev-parse", "v0.1.7^{commit}"), "the commit that was merged, and not the one behind it")
			require.Len(t, r.onChannel(), 3)
			runs, err := hub.Runs(t.Context(), github.Query{Commit: landed, Workflow: "release.yml"})
			require.NoError(t, err)
			require.Len(t, runs, 1)
			require.Equal(t, "workflow_dispatch", runs[0].Event)
			published, drafts := r.world.Hub.Published()
			require.Zero(t, drafts)
			require.Len(t, published, 1)
			require.Equal(t, 1, published[0].Times)
			require.ElementsMatch(t, slices.Collect(maps.Values(r.onChannel())), slices.Collect(maps.Values(published[0].Assets)))
		})
	}
}
