package release

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

const released = "0123456789012345678901234567890123456789"

// actions is a fake GitHub with workflow runs. It records requests for runs.
type actions struct {
	*server.Server
	asked   []string // tags of the requested runs
	takes   func(tag string) error
	release *Release
}

// watching returns a fake GitHub. on is the value of "on" in the work tree's release.yml; "" for no file.
func watching(t *testing.T, on string) *actions {
	t.Helper()
	hub := &actions{takes: func(string) error { return nil }}
	var err error
	hub.Server, err = server.New(server.Options{
		Repository: "octo/mono",
		Token:      "ghp_writes",
		Dispatch: func(workflow, tag string, _ map[string]string) error {
			require.Equal(t, forge.Workflow, workflow)
			hub.asked = append(hub.asked, tag)
			return hub.takes(tag)
		},
	})
	require.NoError(t, err)
	api := httptest.NewServer(hub)
	t.Cleanup(api.Close)
	client, err := github.New(github.Options{API: api.URL, Repository: "octo/mono", Token: "ghp_writes", Attempts: 1})
	require.NoError(t, err)
	top := t.TempDir()
	if on != "" {
		folder := filepath.Join(top, ".github", "workflows")
		require.NoError(t, os.MkdirAll(folder, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(folder, forge.Workflow), []byte("on: "+on+"\njobs: {a: {runs-on: x, steps: [{run: mage publish}]}}\n"), 0o644))
	}
	hub.release = &Release{Means: Means{
		Repo:      gitrepo.At(nil, top),
		State:     t.TempDir(),
		Say:       func(string, ...any) {},
		GitHub:    forge.Hub{Repository: "octo/mono", Client: client, Token: true},
		RunWithin: time.Nanosecond,
	}}
	return hub
}

// process returns a ci, as each process of the release makes its own.
func (a *actions) process(tags ...string) *ci {
	return a.release.watchCI(&plan.Plan{Title: strings.Join(tags, ", "), Tags: tags, Remote: "origin"}, trace.Commit{Hash: released})
}

func (a *actions) add(t *testing.T, ref, commit, conclusion string) {
	t.Helper()
	id, err := a.AddRun(server.Run{Workflow: forge.Workflow, Event: "push", Ref: ref, Commit: commit})
	require.NoError(t, err)
	if conclusion != "" {
		require.NoError(t, a.FinishRun(id, conclusion))
	}
}

func (c *ci) says(t *testing.T) string {
	t.Helper()
	said, _, err := c.watch(t.Context())
	require.NoError(t, err)
	return said
}

// A run belongs to the release only if both its tag and its commit match.
func TestRunsAreFoundByTagAndCommit(t *testing.T) {
	hub := watching(t, "")
	hub.release.RunWithin = time.Hour
	c := hub.process("a/v1", "b/v1")
	hub.add(t, "v9", released, "failure")                  // another release's tag
	hub.add(t, "main", released, "failure")                // someone ran it on the branch
	hub.add(t, "a/v1", strings.Repeat("f", 40), "failure") // the tag was at another commit
	require.Contains(t, c.says(t), "no run of release.yml has started for a/v1 yet: see https://github.com/octo/mono/actions/workflows/release.yml")
	hub.add(t, "a/v1", released, "failure")
	_, _, err := c.watch(t.Context())
	require.ErrorContains(t, err, "the CI that publishes a/v1, b/v1 ended without success (failure)")
	hub.add(t, "a/v1", released, "success") // the newest run counts
	require.Contains(t, c.says(t), "has started for b/v1 yet")
	hub.add(t, "b/v1", released, "")
	require.Contains(t, c.says(t), "in_progress: ")
	hub.add(t, "b/v1", released, "success")
	require.Empty(t, c.says(t), "all of them have ended well")
	require.Empty(t, hub.asked)
}

// If GitHub does not start a run for a tag, one is requested: after a delay, once for each tag, and only if there is no run.
func TestRunIsRequestedOnce(t *testing.T) {
	hub := watching(t, "{push: {tags: ['**']}, workflow_dispatch: }")
	hub.add(t, "a/v1", released, "")
	hub.release.RunWithin = time.Hour
	require.Contains(t, hub.process("a/v1", "b/v1").says(t), "in_progress")
	require.Empty(t, hub.asked, "it may still begin by itself")

	hub.release.RunWithin = time.Nanosecond
	c := hub.process("a/v1", "b/v1", "c/v1")
	for range 3 {
		c.says(t)
	}
	require.Equal(t, []string{"b/v1", "c/v1"}, hub.asked)
	require.Contains(t, hub.process("b/v1").says(t), "has started for b/v1 yet, although this command requested a run", "by the process before")
	require.Equal(t, []string{"b/v1", "c/v1"}, hub.asked)

	hub.release.Repo = gitrepo.At(nil, t.TempDir())
	other := hub.release.watchCI(&plan.Plan{Tags: []string{"b/v1"}}, trace.Commit{Hash: strings.Repeat("a", 40)})
	other.says(t)
	require.Equal(t, []string{"b/v1", "c/v1", "b/v1"}, hub.asked, "what was asked for another release does not count")
}

// If a process is killed after a request and before recording it, the next process finds the run.
func TestKilledBetweenARequestAndItsRecord(t *testing.T) {
	hub := watching(t, "")
	hub.takes = func(tag string) error {
		hub.add(t, tag, released, "")
		return errors.New("the answer is lost")
	}
	require.Contains(t, hub.process("v1").says(t), "the request for a run failed")
	require.NoFileExists(t, filepath.Join(hub.release.State, "asked-runs.json"))
	require.Contains(t, hub.process("v1").says(t), "in_progress")
	require.Equal(t, []string{"v1"}, hub.asked)
}

// If a run cannot be requested, the reason is reported, and the request is not repeated.
func TestRunThatCannotBeRequested(t *testing.T) {
	for _, c := range []struct {
		on    string
		token bool
		takes error
		says  string
		asked int
	}{
		{"{push: , workflow_dispatch: }", false, nil, "cannot request a run without a GITHUB_TOKEN", 0},
		{"push", true, nil, "because release.yml has no workflow_dispatch: `git push --delete origin v1`", 0},
		{"", true, server.ErrNoTrigger, "the request for a run failed (asking octo/mono for a run of release.yml at v1: HTTP 422: Workflow does not have 'workflow_dispatch' trigger)", 1},
		{"", true, server.ErrNoWorkflow, "HTTP 404", 1},
	} {
		hub := watching(t, c.on)
		hub.release.GitHub.Token = c.token
		hub.takes = func(string) error { return c.takes }
		one := hub.process("v1")
		for range 3 {
			require.Contains(t, one.says(t), c.says)
		}
		require.Len(t, hub.asked, c.asked, c.says)
	}
}

// Four tags need two pushes. If the release is killed between them, the next run pushes the missing tag, even if others have pushed to the branch
// since. Someone else's tag is an error before the first push.
func TestTagsArePushedInThrees(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	remote := gitrepotest.AddRemote(t, dir, git)
	git("push", "-q", "origin", "HEAD:refs/heads/main")
	base, err := repo.Head(t.Context())
	require.NoError(t, err)
	git("commit", "-q", "--allow-empty", "-m", "release")
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	p := &plan.Plan{
		Title:  "four",
		Tags:   []string{"a/v1", "b/v1", "c/v1", "d/v1"},
		Base:   base.Commit,
		Remote: "origin",
		Branch: "main",
		Bump:   &bump.Plan{Packages: []bump.Move{{Name: "a"}}},
	}
	for _, tag := range p.Tags {
		git("tag", "-a", "-m", tag, tag)
	}
	gitrepotest.Hook(t, remote, "pre-receive", "grep -c refs/tags/ >>counted\ntest $(wc -l <counted) != 2")
	counted := func() string {
		text, err := os.ReadFile(filepath.Join(remote, "counted"))
		require.NoError(t, err)
		return strings.Join(strings.Fields(string(text)), " ")
	}
	began := &trace.Past{Past: &session.Past[*plan.Plan]{
		Plan: p,
		Path: "x",
		Events: []workflow.Event{
			{Step: trace.StepCommit, Kind: workflow.Done, Result: []byte(`{"hash":"` + head.Commit + `"}`)},
			{Step: trace.StepPush, Kind: workflow.Started},
		},
	}}
	r := &Release{Means: Means{Repo: repo}}
	at := &trace.Trace{Repo: repo, Plan: p, Past: began}

	_, err = r.push(t.Context(), at, p, head.Commit)
	require.ErrorIs(t, err, gitremote.ErrRejected)
	require.Equal(t, "3 1", counted())
	refs, err := gitremote.Read(t.Context(), repo, "origin")
	require.NoError(t, err)
	require.Len(t, refs.Tags, 3)
	require.Equal(t, head.Commit, refs.Branches["main"])
	pushed, err := at.FindPushed(t.Context(), refs)
	require.NoError(t, err)
	require.Equal(t, head.Commit, pushed, "an undo undoes them")
	_, done, err := r.isPushed(t.Context(), at, p, head.Commit)
	require.NoError(t, err)
	require.False(t, done)
	none, err := (&trace.Trace{Repo: repo, Plan: p}).FindPushed(t.Context(), refs)
	require.NoError(t, err)
	require.Empty(t, none, "without a journal some of the tags say nothing")

	git("commit", "-q", "--allow-empty", "-m", "somebody else's")
	git("push", "-q", "origin", "HEAD:refs/heads/main") // the "0" in counted
	git("reset", "-q", "--hard", head.Commit)
	_, err = r.push(t.Context(), at, p, head.Commit)
	require.NoError(t, err)
	require.Equal(t, "3 1 0 1", counted())
	_, done, err = r.isPushed(t.Context(), at, p, head.Commit)
	require.NoError(t, err)
	require.True(t, done)

	git("push", "-q", "--delete", "origin", "a/v1", "b/v1", "c/v1")
	git("tag", "-d", "d/v1")
	git("tag", "-a", "-m", "another object", "d/v1")
	_, err = r.push(t.Context(), at, p, head.Commit)
	require.ErrorContains(t, err, "four was not pushed, because origin has the tag d/v1 now")
	require.Equal(t, "3 1 0 1 3", counted(), "nothing was sent")
}
