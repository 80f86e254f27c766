package github

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// maxArtifact is how large the archive and the file in it may be, in bytes. What is read here is a record, and no package.
const maxArtifact = 8 << 20

// Query says which workflow runs are meant. What is empty does not matter.
type Query struct {
	Commit   string // that it runs for; all hex digits
	Ref      string // branch or tag, by its short name
	Workflow string // file name, such as "release.yml"
	Event    string // such as "push"
}

// Run is one run of a workflow.
type Run struct {
	ID         int64     `json:"id"`
	Attempt    int       `json:"attempt"` // 1, and more after a re-run, which keeps the id
	Name       string    `json:"name"`
	Status     string    `json:"status"`     // queued, in_progress, completed, waiting (for an approval), …
	Conclusion string    `json:"conclusion"` // of a completed one: success, failure, cancelled, timed_out, …
	Commit     string    `json:"commit"`
	Ref        string    `json:"ref"`
	Event      string    `json:"event"`
	URL        string    `json:"url"` // for people
	Created    time.Time `json:"created"`
}

// Completed reports whether nothing more comes of the run by itself.
func (r Run) Completed() bool { return r.Status == "completed" }

// Succeeded reports whether it went through.
func (r Run) Succeeded() bool { return r.Completed() && r.Conclusion == "success" }

// Held reports whether it waits for a person, or for a rule of an environment.
func (r Run) Held() bool { return r.Status == "waiting" }

// Next is what a person can do about the run; "" where there is nothing to do.
func (r Run) Next() string {
	switch {
	case r.Succeeded():
		return ""
	case r.Status == "waiting" || r.Status == "action_required" || r.Conclusion == "action_required":
		return "somebody has to approve it: " + r.URL
	case r.Completed():
		return fmt.Sprintf("see why at %s, then `gh run rerun %d --failed`, or \"Re-run failed jobs\" there", r.URL, r.ID)
	}
	return "watch it at " + r.URL
}

// Runs lists the workflow runs that a query means, the newest first; none is no error
// (https://docs.github.com/en/rest/actions/workflow-runs).
func (c *Client) Runs(ctx context.Context, q Query) ([]Run, error) {
	u := c.url("actions/runs")
	if q.Workflow != "" {
		u = c.url("actions/workflows", q.Workflow, "runs")
	}
	values := url.Values{}
	for key, value := range map[string]string{"head_sha": q.Commit, "branch": q.Ref, "event": q.Event} {
		if value != "" {
			values.Set(key, value)
		}
	}
	u.RawQuery = values.Encode()
	all := []Run{}
	err := pages(ctx, c, u, func(page apiRuns) {
		for _, r := range page.Runs {
			all = append(all, Run{
				ID:         r.ID,
				Attempt:    max(r.Attempt, 1),
				Name:       r.Name,
				Status:     r.Status,
				Conclusion: r.Conclusion,
				Commit:     r.Commit,
				Ref:        r.Ref,
				Event:      r.Event,
				URL:        r.URL,
				Created:    r.Created.UTC(),
			})
		}
	})
	if err != nil {
		return nil, c.explain(err, actions, "asking %s for its workflow runs", c.repository)
	}
	slices.SortFunc(all, func(a, b Run) int { return int(b.ID - a.ID) })
	return all, nil
}

// Dispatch begins a run of a workflow at a branch or a tag, as its workflow_dispatch allows. It is asked for once: what became of a request that
// got no answer is seen by Runs, a few seconds later. inputs are those that the workflow declares; nil is none (https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event).
func (c *Client) Dispatch(ctx context.Context, workflow, ref string, inputs map[string]string) error {
	asked := map[string]any{"ref": ref}
	if len(inputs) > 0 {
		asked["inputs"] = inputs
	}
	body, err := jsonPayload(asked)
	if err == nil {
		err = c.send(ctx, http.MethodPost, c.url("actions/workflows", workflow, "dispatches"), body, nil)
	}
	if err != nil {
		return c.explain(err, dispatch, "asking %s for a run of %s at %s", c.repository, workflow, ref)
	}
	return nil
}

type apiRuns struct {
	Runs entries[struct {
		ID         int64     `json:"id"`
		Attempt    int       `json:"run_attempt"`
		Name       string    `json:"name"`
		Status     string    `json:"status"`
		Conclusion string    `json:"conclusion"`
		Commit     string    `json:"head_sha"`
		Ref        string    `json:"head_branch"`
		Event      string    `json:"event"`
		URL        string    `json:"html_url"`
		Created    time.Time `json:"created_at"`
	}] `json:"workflow_runs"`
}

// Artifact reads the JSON file that a run has kept under a name: an archive with that one file in it, 8 MiB at most. Of
// several attempts of a run it is the newest's. Errors: ErrNotFound where the run has none of that name, or where its time
// is over; GitHub gives artifacts, also of public repositories, only to a token
// (https://docs.github.com/en/rest/actions/artifacts).
func (c *Client) Artifact(ctx context.Context, run int64, name string) ([]byte, error) {
	text, err := c.artifact(ctx, run, name)
	if err != nil {
		return nil, c.explain(err, actions, "reading the artifact %s of run %d of %s", name, run, c.repository)
	}
	return text, nil
}

func (c *Client) artifact(ctx context.Context, run int64, name string) ([]byte, error) {
	u := c.url("actions/runs", strconv.FormatInt(run, 10), "artifacts")
	u.RawQuery = url.Values{"name": {name}}.Encode()
	var newest int64
	expired := false
	err := pages(ctx, c, u, func(page apiArtifacts) {
		for _, a := range page.Artifacts {
			if a.Name == name && a.ID > newest {
				newest, expired = a.ID, a.Expired
			}
		}
	})
	switch {
	case err != nil:
		return nil, err
	case newest == 0:
		return nil, operr.New("see in the run's log whether it was kept", "the run has no artifact of that name: %w", ErrNotFound)
	case expired:
		return nil, operr.New("what it said can still stand in the run's log", "GitHub has removed it, its time being over: %w", ErrNotFound)
	}
	var content []byte
	err = c.load(ctx, c.url("actions/artifacts", strconv.FormatInt(newest, 10), "zip"), func(r io.Reader) error {
		archive, err := bounded(r)
		if err == nil {
			content, err = onlyJSON(archive)
		}
		return err
	})
	return content, err
}

type apiArtifacts struct {
	Artifacts entries[struct {
		ID      int64  `json:"id"`
		Name    string `json:"name"`
		Expired bool   `json:"expired"`
	}] `json:"artifacts"`
}

func bounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxArtifact+1))
	if err == nil && len(data) > maxArtifact {
		err = httpclient.NotAgain(fmt.Errorf("it has more than %d bytes", maxArtifact))
	}
	return data, err
}

// onlyJSON takes the one file out of an archive. The archive came whole, so that what is wrong with it stays wrong.
func onlyJSON(archive []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, httpclient.NotAgain(fmt.Errorf("it is no zip archive: %w", err))
	}
	if len(z.File) != 1 {
		return nil, httpclient.NotAgain(fmt.Errorf("it has %d files in it, and not one", len(z.File)))
	}
	f, err := z.File[0].Open()
	if err != nil {
		return nil, httpclient.NotAgain(err)
	}
	defer f.Close()
	text, err := bounded(f)
	switch {
	case err != nil:
		return nil, httpclient.NotAgain(err)
	case !json.Valid(text):
		return nil, httpclient.NotAgain(errors.New("the file in it is no JSON"))
	}
	return text, nil
}
