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

// maxArtifact is the maximum size in bytes of the archive, and of the file in it. The file is a record, not a package.
const maxArtifact = 8 << 20

// Query selects workflow runs. An empty field matches everything.
type Query struct {
	Commit   string // commit of the run, as a full hash
	Ref      string // branch or tag, by its short name
	Workflow string // file name, such as "release.yml"
	Event    string // such as "push"
}

// Run is one run of a workflow.
type Run struct {
	ID         int64     `json:"id"`
	Attempt    int       `json:"attempt"` // 1 for the first attempt; re-runs keep the ID
	Name       string    `json:"name"`
	Status     string    `json:"status"`     // queued, in_progress, completed, waiting (for approval), …
	Conclusion string    `json:"conclusion"` // result of a completed run: success, failure, cancelled, timed_out, …
	Commit     string    `json:"commit"`
	Ref        string    `json:"ref"`
	Event      string    `json:"event"`
	URL        string    `json:"url"` // web page
	Created    time.Time `json:"created"`
}

// Completed reports whether the run has ended.
func (r Run) Completed() bool { return r.Status == "completed" }

// Succeeded reports whether the run succeeded.
func (r Run) Succeeded() bool { return r.Completed() && r.Conclusion == "success" }

// Held reports whether the run is waiting for an approval or for an environment's rule.
func (r Run) Held() bool { return r.Status == "waiting" }

// Next returns what the user can do about the run, or "" if there is nothing to do.
func (r Run) Next() string {
	switch {
	case r.Succeeded():
		return ""
	case r.Status == "waiting" || r.Status == "action_required" || r.Conclusion == "action_required":
		return "someone must approve the run: " + r.URL
	case r.Completed():
		return fmt.Sprintf("open %s to see why, then run `gh run rerun %d --failed`, or press \"Re-run failed jobs\" on that page", r.URL, r.ID)
	}
	return "watch the run at " + r.URL
}

// Runs lists the workflow runs that match a query, newest first. An empty list is not an error
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

// Dispatch starts a workflow run for a branch or tag, through workflow_dispatch. It sends one request. If there is no response, Runs shows the
// outcome a few seconds later. inputs are the workflow's inputs, or nil
// (https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event).
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

// Artifact reads a JSON file that a run has stored as an artifact: an archive with only that file, of at most 8 MiB. If a run has several attempts,
// it reads the newest artifact. It returns ErrNotFound if there is no such artifact, or if it has expired. Downloads need a token, even for public
// repositories (https://docs.github.com/en/rest/actions/artifacts).
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
		return nil, operr.New("look in the run's log for the upload of this artifact", "the run has no artifact with this name: %w", ErrNotFound)
	case expired:
		return nil, operr.New("look for the same text in the run's log", "the artifact has expired, and GitHub has removed the artifact: %w", ErrNotFound)
	}
	var content []byte
	err = c.load(ctx, c.url("actions/artifacts", strconv.FormatInt(newest, 10), "zip"), func(r io.Reader) error {
		archive, err := readBounded(r)
		if err == nil {
			content, err = unzipJSON(archive)
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

func readBounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxArtifact+1))
	if err == nil && len(data) > maxArtifact {
		err = httpclient.MarkFinal(fmt.Errorf("the artifact has more than %d bytes", maxArtifact))
	}
	return data, err
}

// unzipJSON returns the only file in an archive. The archive was received completely, so errors are final.
func unzipJSON(archive []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, httpclient.MarkFinal(fmt.Errorf("the artifact is not a zip archive: %w", err))
	}
	if len(z.File) != 1 {
		return nil, httpclient.MarkFinal(fmt.Errorf("the archive must have one file, but has %d files", len(z.File)))
	}
	f, err := z.File[0].Open()
	if err != nil {
		return nil, httpclient.MarkFinal(err)
	}
	defer f.Close()
	text, err := readBounded(f)
	switch {
	case err != nil:
		return nil, httpclient.MarkFinal(err)
	case !json.Valid(text):
		return nil, httpclient.MarkFinal(errors.New("the file in the archive is not JSON"))
	}
	return text, nil
}
