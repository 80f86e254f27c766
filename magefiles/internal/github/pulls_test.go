package github_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/github/server/bare"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// pullHub is an embedded GitHub server for a bare repository. Its branch main has one commit, and topic has another commit on top.
type pullHub struct {
	*server.Server
	remote bare.Remote
	url    string
	git    func(args ...string) string
}

func newPullHub(t *testing.T) *pullHub {
	t.Helper()
	run := command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid"), nil)
	h := &pullHub{remote: bare.Remote{Runner: run, Environ: os.Environ(), Dir: t.TempDir()}}
	work := t.TempDir()
	h.git = func(args ...string) string {
		out, err := command.Output(t.Context(), run, command.Cmd{Name: "git", Args: args, Dir: work})
		require.NoError(t, err, "%s", out)
		return strings.TrimSpace(out)
	}
	h.git("init", "-q", "--bare", "-b", "main", h.remote.Dir)
	h.git("init", "-q", "-b", "main", ".")
	h.write(t, work, "one", "1\n")
	h.git("push", "-q", h.remote.Dir, "main")
	h.git("switch", "-q", "-c", "topic")
	h.write(t, work, "two", "2\n")
	h.git("push", "-q", h.remote.Dir, "topic")
	var err error
	h.Server, err = server.New(server.Options{Repository: "o/r", Token: "person", Reader: "reader", Job: "job", Branch: h.remote.Branch, Land: h.remote.Land})
	require.NoError(t, err)
	s := httptest.NewServer(h.Server)
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

func (h *pullHub) write(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	h.git("add", name)
	h.git("commit", "-q", "-m", "add "+name)
}

func (h *pullHub) as(t *testing.T, token string) *github.Client {
	t.Helper()
	c, err := github.New(github.Options{API: h.url, Repository: "o/r", Token: github.Token(token), Attempts: 1})
	require.NoError(t, err)
	return c
}

var topic = github.NewPull{
	Title: "Release v1",
	Body:  "a plan",
	Base:  "main",
	Head:  "topic",
}

// A pull request can be opened, found, edited and merged, with each merge method.
func TestPulls(t *testing.T) {
	for method, parents := range map[string]int{"merge": 2, "squash": 1, "rebase": 1} {
		h := newPullHub(t)
		c := h.as(t, "person")
		before, _ := h.remote.Branch("main")
		p, err := c.OpenPull(t.Context(), topic)
		require.NoError(t, err)
		require.True(t, p.Open)
		require.NoError(t, c.EditPull(t.Context(), p.Number, "Release v2", "another plan"))
		_, err = c.OpenPull(t.Context(), topic)
		require.ErrorContains(t, err, "already exists")
		require.NoError(t, c.MergePull(t.Context(), p.Number, method, ""))
		all, err := c.Pulls(t.Context(), "topic")
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, "Release v2", all[0].Title)
		require.True(t, all[0].Merged)
		at, _ := h.remote.Branch("main")
		require.Equal(t, at, all[0].Became)
		h.git("fetch", "-q", h.remote.Dir, "main")
		require.Len(t, strings.Fields(h.git("log", "-1", "--format=%P", at)), parents, method)
		require.Equal(t, before, h.git("rev-parse", at+"^"))
		require.Equal(t, "one\ntwo", h.git("ls-tree", "--name-only", at))
	}
}

// A required check must have passed on the head, in a run that the pull request triggered. A run that a user dispatched does not count, and a run
// that a job's token triggered waits for a user's approval.
func TestARequiredCheck(t *testing.T) {
	h := newPullHub(t)
	h.JobsOpen = true
	h.Protect("main", server.Rules{Pulls: true, Check: "ci"})
	p, err := h.as(t, "job").OpenPull(t.Context(), topic)
	require.NoError(t, err)
	person := h.as(t, "person")
	require.ErrorContains(t, person.MergePull(t.Context(), p.Number, "squash", ""), `Required status check "ci" is expected`)
	dispatched, err := h.AddRun(server.Run{Workflow: "ci.yml", Name: "ci", Event: "workflow_dispatch", Commit: p.Commit})
	require.NoError(t, err)
	require.NoError(t, h.FinishRun(dispatched, "success"))
	require.Error(t, person.MergePull(t.Context(), p.Number, "squash", ""))

	runs, err := person.Runs(t.Context(), github.Query{Commit: p.Commit, Event: "pull_request"})
	require.NoError(t, err)
	require.Equal(t, "action_required", runs[0].Conclusion)
	require.Error(t, h.as(t, "job").ApproveRun(t.Context(), runs[0].ID), "a job cannot approve a run")
	require.NoError(t, person.ApproveRun(t.Context(), runs[0].ID))
	require.NoError(t, h.FinishRun(runs[0].ID, "failure"))
	require.Error(t, person.MergePull(t.Context(), p.Number, "squash", ""), "it has failed")
	require.NoError(t, h.RerunRun(runs[0].ID))
	require.NoError(t, h.FinishRun(runs[0].ID, "success"))
	require.NoError(t, person.MergePull(t.Context(), p.Number, "squash", ""))
}

// The check of a pull request that a job opened must be approved once. The check of a user's pull request starts without approval.
func TestACheckedMerge(t *testing.T) {
	for token, want := range map[string]string{
		"job":    `its check has passed, after someone pressed "Approve and run" once, because a job opened the pull request`,
		"person": "its check has passed",
	} {
		h := newPullHub(t)
		h.JobsOpen = true
		h.Protect("main", server.Rules{Check: "ci"})
		p, err := h.as(t, token).OpenPull(t.Context(), topic)
		require.NoError(t, err)
		_, err = h.Squash(int64(p.Number))
		require.ErrorContains(t, err, "is expected")
		commit, how, err := h.MergeChecked(int64(p.Number))
		require.NoError(t, err)
		require.Equal(t, want, how)
		at, _ := h.remote.Branch("main")
		require.Equal(t, at, commit)
	}
	h := newPullHub(t)
	_, _, err := h.MergeChecked(7)
	require.Error(t, err)
}

// If a branch has a merge queue, only the queue can merge a pull request, and only after the queue's own check has passed.
func TestAMergeQueue(t *testing.T) {
	h := newPullHub(t)
	h.Protect("main", server.Rules{Queue: true})
	c := h.as(t, "person")
	p, err := c.OpenPull(t.Context(), topic)
	require.NoError(t, err)
	require.ErrorContains(t, c.MergePull(t.Context(), p.Number, "squash", ""), "merge queue")
	require.NoError(t, h.Enqueue(int64(p.Number), "failure"))
	all, err := c.Pulls(t.Context(), "topic")
	require.NoError(t, err)
	require.True(t, all[0].Open)
	require.NoError(t, h.Enqueue(int64(p.Number), "success"))
	all, err = c.Pulls(t.Context(), "topic")
	require.NoError(t, err)
	require.True(t, all[0].Merged)
}

// If a token lacks a permission, OpenPull fails with a next step that depends on the token.
func TestPullsAreRefused(t *testing.T) {
	h := newPullHub(t)
	for token, next := range map[string]string{
		"":       "set GITHUB_TOKEN",
		"wrong":  "make another token with Pull requests: read and write",
		"reader": "permissions: pull-requests: write",
		"job":    "Allow GitHub Actions to create and approve pull requests",
	} {
		_, err := h.as(t, token).OpenPull(t.Context(), topic)
		require.Error(t, err, token)
		require.Contains(t, operr.NextOf(err), next, token)
	}
	c := h.as(t, "person")
	_, err := c.OpenPull(t.Context(), github.NewPull{Title: "none", Base: "main", Head: "gone"})
	require.ErrorContains(t, err, "head invalid")
	p, err := c.OpenPull(t.Context(), topic)
	require.NoError(t, err)
	h.git("push", "-q", h.remote.Dir, ":topic")
	all, err := c.Pulls(t.Context(), "topic")
	require.NoError(t, err)
	require.False(t, all[0].Open, "deleting a branch closes its pull request")
	require.Error(t, c.MergePull(t.Context(), p.Number, "merge", ""))
}

// LandsBy derives how commits land on a branch from the rules that GitHub shows, and describes these rules.
func TestLandsBy(t *testing.T) {
	h := newPullHub(t)
	c := h.as(t, "reader")
	for _, one := range []struct {
		rules  server.Rules
		branch string
		by     github.Lands
		read   string
	}{
		{by: github.LandsByPush, branch: "main", read: "no rule of main forbids a push"},
		{rules: server.Rules{Pulls: true}, branch: "main", by: github.LandsByPull, read: "the rule pull_request applies to main"},
		{rules: server.Rules{Queue: true}, branch: "main", by: github.LandsByPull, read: "the rule merge_queue applies"},
		{rules: server.Rules{Check: "ci"}, branch: "main", by: github.LandsByPull, read: "the rule required_status_checks applies"},
		{rules: server.Rules{Pulls: true, Classic: true}, branch: "main", by: github.LandsUnknown, read: "only to administrators"},
		{branch: "gone", by: github.LandsUnknown, read: "GitHub shows no branch gone"},
	} {
		h.Protect("main", one.rules)
		by, read := c.LandsBy(t.Context(), one.branch)
		require.Equal(t, one.by, by, read)
		require.Contains(t, read, one.read)
	}
	by, read := h.as(t, "wrong").LandsBy(t.Context(), "main")
	require.Equal(t, github.LandsUnknown, by)
	require.Contains(t, read, "Bad credentials")
}

// Checks may be required by a rule or by branch protection. If GitHub shows only that the branch is protected, the required checks are unknown.
func TestRequiredChecks(t *testing.T) {
	h := newPullHub(t)
	c := h.as(t, "reader")
	for _, one := range []struct {
		rules  server.Rules
		checks []string
		known  bool
	}{
		{known: true},
		{rules: server.Rules{Pulls: true}, known: true},
		{rules: server.Rules{Pulls: true, Check: "ci"}, checks: []string{"ci"}, known: true},
		{rules: server.Rules{Check: "ci", Classic: true}, checks: []string{"ci"}, known: true},
		{rules: server.Rules{Pulls: true, Classic: true}},
	} {
		h.Protect("main", one.rules)
		checks, known, err := c.RequiredChecks(t.Context(), "main")
		require.NoError(t, err)
		require.Equal(t, one.checks, checks, "%+v", one.rules)
		require.Equal(t, one.known, known, "%+v", one.rules)
	}
	_, _, err := c.RequiredChecks(t.Context(), "gone")
	require.ErrorIs(t, err, github.ErrNotFound)
}

// The server records for each tag how many tags were in the same push, and who pushed them.
func TestWhoPushedATag(t *testing.T) {
	h := newPullHub(t)
	require.NoError(t, h.remote.CountTags("touch after\n"))
	for by, tags := range map[bare.Pusher][]string{bare.Person: {"v1", "a/v1"}, bare.Job: {"v2", "a/v2", "b/v2"}} {
		args := []string{"push", "-q", "--receive-pack=env " + by.Variable() + " git receive-pack", h.remote.Dir}
		for _, tag := range tags {
			args = append(args, "topic:refs/tags/"+tag)
		}
		h.git(args...)
		for _, tag := range tags {
			n, pusher := h.remote.CameWith(tag)
			require.Equal(t, len(tags), n, tag)
			require.Equal(t, by, pusher, tag)
		}
	}
	n, by := h.remote.CameWith("none")
	require.Zero(t, n)
	require.Equal(t, bare.Person, by)
	require.FileExists(t, filepath.Join(h.remote.Dir, "after"))
}

// With a token that lacks `workflows: write`, a push is rejected unless some branch has the same workflow files.
func TestWorkflowFilesOfAPush(t *testing.T) {
	h := newPullHub(t)
	require.NoError(t, h.remote.Guard("x*", "main"))
	push := func(by bare.Pusher, args ...string) error {
		_, err := command.Output(context.WithoutCancel(t.Context()), h.remote.Runner, command.Cmd{
			Name: "git",
			Args: append([]string{"push", "-q", h.remote.Dir}, args...),
			Dir:  h.git("rev-parse", "--show-toplevel"),
			Env:  command.Setenv(os.Environ(), by.Variable()),
		})
		return err
	}
	require.NoError(t, push(bare.Job, "topic:refs/tags/v1"), "a branch has its workflow files: none")
	require.NoError(t, os.MkdirAll(filepath.Join(h.git("rev-parse", "--show-toplevel"), ".github/workflows"), 0o755))
	h.write(t, h.git("rev-parse", "--show-toplevel"), ".github/workflows/ci.yml", "on: push\n")
	require.Error(t, push(bare.Job, "topic:refs/tags/v2"))
	require.NoError(t, push(bare.Person, "topic:refs/tags/v2"))
	require.NoError(t, push(bare.Person, "topic"))
	require.NoError(t, push(bare.Job, "topic:refs/tags/v3"))
	require.Error(t, push(bare.Person, "topic:main"))
	require.Error(t, push(bare.Person, "topic:refs/tags/x1"))
}
