package delivery_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/delivery"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

const ofCommit = "0123456789abcdef0123456789abcdef01234567"

// onGitHub returns a server with workflow runs, and a Runs that watches one workflow on it.
func onGitHub(t *testing.T, workflow string) (*server.Server, delivery.Runs) {
	t.Helper()
	s, err := server.New(server.Options{Repository: "a/b", Token: "ghp_of_somebody"})
	require.NoError(t, err)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	c, err := github.New(github.Options{API: h.URL, Repository: "a/b", Token: "ghp_of_somebody"})
	require.NoError(t, err)
	return s, delivery.Runs{Client: c, Workflow: workflow}
}

// Only the newest run of the workflow that builds and deploys the image is watched. Its jobs show the progress.
func TestNewestRunOfTheCI(t *testing.T) {
	s, runs := onGitHub(t, "images.yml")
	add := func(workflow, event string) int64 {
		id, err := s.AddRun(server.Run{Workflow: workflow, Event: event, Ref: "main", Commit: ofCommit})
		require.NoError(t, err)
		return id
	}
	sees := func(r delivery.Runs) delivery.Sight {
		seen, err := r.Watch(t.Context(), ofCommit)
		require.NoError(t, err)
		return seen
	}
	every := runs
	every.Workflow = ""
	require.Contains(t, sees(every).Says, "no run for 0123456789ab has begun yet")
	other := add("ci.yml", "push")
	require.NoError(t, s.FinishRun(other, "failure"))
	require.Contains(t, sees(runs).Says, "no run of images.yml for 0123456789ab has begun yet; `gh workflow run images.yml`")
	_, err := every.Watch(t.Context(), ofCommit)
	require.ErrorContains(t, err, "ended without success (failure)")

	first := add("images.yml", "push")
	require.Regexp(t, "^in_progress: http", sees(runs).Says)
	require.NoError(t, s.TellJobs(first, server.Job{Name: "amd64", Status: "in_progress"}, server.Job{Name: "arm64", Status: "in_progress"}, server.Job{Name: "merge", Status: "queued"}))
	require.Regexp(t, "^amd64 and arm64: http", sees(runs).Says)
	require.NoError(t, s.TellJobs(first, server.Job{Name: "amd64", Status: "completed", Conclusion: "failure"}, server.Job{Name: "arm64", Status: "in_progress"}))
	_, err = runs.Watch(t.Context(), ofCommit)
	require.ErrorContains(t, err, `the CI's job "amd64" for the commit 0123456789ab ended without success (failure)`, "the others take their time")

	second := add("images.yml", "workflow_dispatch")
	deploy := server.Job{Name: "deploy it / to production", Status: "waiting"}
	require.NoError(t, s.TellJobs(second, server.Job{Name: "amd64", Status: "completed", Conclusion: "success"}, server.Job{Name: "old", Status: "completed", Conclusion: "skipped"}, deploy))
	require.NoError(t, s.HoldRun(second, "production", "alice", "team ops"))
	seen := sees(runs)
	require.True(t, seen.Held)
	require.Contains(t, seen.Says, "alice or team ops must approve the environment production: http")
	require.NoError(t, s.ApproveRun(second))
	require.NoError(t, s.TellJobs(second))
	require.NoError(t, s.FinishRun(second, "cancelled"))
	_, err = runs.Watch(t.Context(), ofCommit)
	require.ErrorContains(t, err, "ended without success (cancelled)")
	require.NoError(t, s.RerunRun(second))
	require.NoError(t, s.FinishRun(second, "success"))
	require.Equal(t, delivery.Sight{Says: "the CI has ended with success", Ended: true}, sees(runs))
	require.Equal(t, delivery.Sight{Says: "mage cannot ask this CI; look at the CI's page for this commit"}, sees(delivery.Runs{}))
}

// always is a CI with constant progress.
type always delivery.Sight

func (a always) Watch(context.Context, string) (delivery.Sight, error) { return delivery.Sight(a), nil }

// If a finished CI has not produced the result, waiting ends soon. Approvals may take any time, and a registry a little while.
func TestWaitForTheCI(t *testing.T) {
	for name, c := range map[string]struct {
		ci    always
		there time.Duration // when the result appears
		want  string
	}{
		"it comes":               {ci: always{Says: "build: URL"}, there: 30 * time.Minute},
		"it is slow":             {ci: always{Says: "build: URL"}, there: 3 * time.Hour, want: "after 1h00m the CI has not made the image; build: URL"},
		"a reviewer is slow":     {ci: always{Says: "alice has to approve", Held: true}, there: 72 * time.Hour},
		"the registry is slow":   {ci: always{Ended: true}, there: 40 * time.Second},
		"a job that is left out": {ci: always{Ended: true}, there: 5 * time.Minute, want: "the CI has ended with success, but did not make the image"},
	} {
		now := time.Unix(0, 0)
		w := pause.Wait{First: time.Second, Times: 1.5, Most: 15 * time.Second, For: time.Hour, Now: func() time.Time { return now }}
		w.Pause = func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil }
		err := delivery.AwaitBy(t.Context(), w, c.ci, ofCommit, "the image", func(context.Context) (bool, error) { return now.Sub(time.Unix(0, 0)) >= c.there, nil })
		if c.want == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.want, name)
		}
	}
}

// If the CI was removed from the configuration, a delivery that waits for it explains how to continue.
func TestDeliveryAfterTheCIWasRemoved(t *testing.T) {
	w := newWorld(t)
	for _, ci := range []delivery.CI{broken{}, nil, broken{}} {
		d := w.delivery()
		d.CI = ci
		_, err := d.Run(t.Context())
		if ci != nil {
			require.ErrorContains(t, err, "the CI has failed")
			continue
		}
		require.ErrorContains(t, err, "but [tool.image] now says that this machine builds the image")
		require.Contains(t, operr.NextOf(err), "run `mage deliver -undo`")
		require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	}
	_, err := w.delivery().Undo(t.Context())
	require.NoError(t, err)
	_, err = w.delivery().Run(t.Context())
	require.NoError(t, err)
}

// broken is a CI that always fails.
type broken struct{}

func (broken) Watch(context.Context, string) (delivery.Sight, error) {
	return delivery.Sight{}, errors.New("the CI has failed")
}
