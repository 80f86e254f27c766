package github_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
)

func TestRuns(t *testing.T) {
	dir := t.TempDir()
	w := start(t, server.Options{Dir: dir})
	var last int64
	for i := range 150 { // more than fit on a page
		id, err := w.AddRun(server.Run{Workflow: "release.yml", Event: "push", Ref: tag, Commit: commit, Name: fmt.Sprint(i)})
		require.NoError(t, err)
		last = id
	}
	_, err := w.AddRun(server.Run{Workflow: "ci.yml", Event: "push", Ref: "main", Commit: commit})
	require.NoError(t, err)
	require.NoError(t, w.FinishRun(last, "failure"))
	require.Error(t, w.FinishRun(9999, "success"))
	w = start(t, server.Options{Dir: dir}) // as after a kill and a restart
	c := client(t, w.url, github.Options{})

	runs, err := c.Runs(t.Context(), github.Query{Commit: commit, Ref: tag, Workflow: "release.yml", Event: "push"})
	require.NoError(t, err)
	require.Len(t, runs, 150)
	require.Equal(t, last, runs[0].ID)
	require.True(t, runs[0].Completed())
	require.False(t, runs[0].Succeeded())
	require.Contains(t, runs[0].Next(), "gh run rerun")
	require.Contains(t, runs[1].Next(), "watch the run at "+w.url)
	require.NoError(t, w.RerunRun(last))
	require.NoError(t, w.FinishRun(last, "success"))
	runs, err = c.Runs(t.Context(), github.Query{Workflow: "release.yml"})
	require.NoError(t, err)
	require.True(t, runs[0].Succeeded())
	require.Empty(t, runs[0].Next())
	require.Equal(t, 2, runs[0].Attempt)
	for _, q := range []github.Query{{Commit: "other"}, {Ref: "other"}, {Event: "other"}, {Workflow: "other.yml"}} {
		none, err := c.Runs(t.Context(), q)
		require.NoError(t, err)
		require.Empty(t, none)
	}
}

// Jobs returns all jobs of a run's last attempt, even if there are several pages. It fails if the run does not exist.
func TestJobs(t *testing.T) {
	w := start(t, server.Options{})
	run, err := w.AddRun(server.Run{Workflow: "images.yml", Commit: commit})
	require.NoError(t, err)
	c := client(t, w.url, github.Options{})
	none, err := c.Jobs(t.Context(), run)
	require.NoError(t, err)
	require.Empty(t, none)
	var told []server.Job
	for i := range 120 {
		told = append(told, server.Job{Name: fmt.Sprint(i), Status: "queued"})
	}
	failed := map[string]bool{"success": false, "skipped": false, "neutral": false, "failure": true, "cancelled": true, "timed_out": true}
	for conclusion := range failed {
		told = append(told, server.Job{Name: conclusion, Status: "completed", Conclusion: conclusion})
	}
	require.NoError(t, w.TellJobs(run, told...))
	all, err := c.Jobs(t.Context(), run)
	require.NoError(t, err)
	require.Len(t, all, len(told))
	for _, job := range all {
		require.Equal(t, failed[job.Conclusion], job.Failed(), job.Name)
		require.Contains(t, job.URL, "/actions/runs/")
	}
	_, err = c.Jobs(t.Context(), run+99)
	require.ErrorIs(t, err, github.ErrNotFound)
}

func TestArtifact(t *testing.T) {
	w := start(t, server.Options{})
	run, err := w.AddRun(server.Run{Workflow: "release.yml", Commit: commit})
	require.NoError(t, err)
	keep := func(name string, files map[string][]byte) { require.NoError(t, w.AddArtifact(run, name, files)) }
	keep("published", map[string][]byte{"publish.json": []byte(`{"n":1}`)})
	keep("published", map[string][]byte{"publish.json": []byte(`{"n":2}`)})
	keep("two", map[string][]byte{"a.json": []byte(`{}`), "b.json": []byte(`{}`)})
	keep("text", map[string][]byte{"a.json": []byte(`{`)})
	keep("bomb", map[string][]byte{"a.json": []byte(`"` + strings.Repeat("0", 9<<20) + `"`)})
	c := client(t, w.url, github.Options{Token: token})

	got, err := c.Artifact(t.Context(), run, "published") // the server for files rejects requests with a token, so this also shows that none was sent
	require.NoError(t, err)
	require.JSONEq(t, `{"n":2}`, string(got), "the newest attempt's")
	for name, says := range map[string]string{"two": "2 files", "text": "not JSON", "bomb": "more than", "none": "no artifact with this name"} {
		_, err := c.Artifact(t.Context(), run, name)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "sig=")
	}
	_, err = client(t, w.url, github.Options{}).Artifact(t.Context(), run, "published")
	require.ErrorIs(t, err, github.ErrUnauthorized)
	require.Contains(t, fmt.Sprintf("%+v", err), "set GITHUB_TOKEN")
	require.NoError(t, w.Expire(run))
	_, err = c.Artifact(t.Context(), run, "published")
	require.ErrorIs(t, err, github.ErrNotFound)
	require.ErrorContains(t, err, "the artifact has expired")
}

func TestRepositoryOf(t *testing.T) {
	for remote, want := range map[string]string{
		"https://github.com/o/n.git":                 "o/n github.com",
		"https://github.com/o/n":                     "o/n github.com",
		"https://github.com/o/n/":                    "o/n github.com",
		"https://user:secret@github.com/o/n.git":     "o/n github.com",
		"git@github.com:o/n.git":                     "o/n github.com",
		"github.com:Some-Owner/some.repo":            "Some-Owner/some.repo github.com",
		"ssh://git@github.com/o/n.git":               "o/n github.com",
		"ssh://git@ssh.github.com:443/o/n.git":       "o/n github.com",
		"ssh://git@git.example.org:2222/o/n":         "o/n git.example.org",
		"git@git.example.org:/o/n.git":               "o/n git.example.org",
		"git://GitHub.com/o/n.git":                   "o/n github.com",
		"/srv/git/n.git":                             "",
		"../n.git":                                   "",
		"file:///srv/o/n.git":                        "",
		"https://gitlab.example.org/group/sub/n.git": "",
		"https://github.com/o":                       "",
		"https://github.com/o/..":                    "",
		"":                                           "",
		"C:\\o\\n":                                   "",
	} {
		name, host, ok := github.RepositoryOf(remote)
		require.Equal(t, want, strings.TrimSpace(name+" "+host), remote)
		require.Equal(t, want != "", ok, remote)
	}
}

func TestAssetName(t *testing.T) {
	for file, want := range map[string]string{
		"a-1.0-pyh_0.conda": "a-1.0-pyh_0.conda", "a-1!1.0+x-0.conda": "a-1.1.0+x-0.conda", "a b (1).txt": "a.b.1.txt",
		".hidden": "default.hidden", "x~": "x", "ü": "",
	} {
		require.Equal(t, want, github.AssetName(file), file)
	}
}

func TestApprovals(t *testing.T) {
	w := start(t, server.Options{})
	run, err := w.AddRun(server.Run{Workflow: "release.yml", Commit: commit})
	require.NoError(t, err)
	c := client(t, w.url, github.Options{})
	is := func(status, says string) {
		t.Helper()
		runs, err := c.Runs(t.Context(), github.Query{})
		require.NoError(t, err)
		require.Equal(t, status, runs[0].Status)
		require.Equal(t, status == "waiting", runs[0].Held())
		all, err := c.Approvals(t.Context(), run)
		require.NoError(t, err)
		var said []string
		for _, a := range all {
			said = append(said, a.String())
		}
		require.Equal(t, says, strings.Join(said, ";"))
	}
	is("in_progress", "")
	require.NoError(t, w.HoldRun(run, "release", "octocat", "team core"))
	is("waiting", "octocat or team core must approve the environment release")
	require.NoError(t, w.HoldRun(run, "slow"))
	is("waiting", "the environment slow waits for its timer or for a custom rule")
	require.NoError(t, w.ApproveRun(run))
	is("in_progress", "")
}

// A job's token has the job's rights, and becomes invalid when the job ends.
func TestTokensOfJobs(t *testing.T) {
	for name, c := range map[string]struct {
		rights                              map[string]string
		release, request, open, edit, merge int // status codes of creating a release, dispatching a run, and opening, editing and merging a pull request
	}{
		"contents: write":      {map[string]string{"contents": "write", "pull-requests": "read"}, http.StatusCreated, http.StatusForbidden, http.StatusForbidden, http.StatusForbidden, http.StatusOK},
		"actions: write":       {map[string]string{"actions": "write", "contents": "read"}, http.StatusForbidden, http.StatusNoContent, http.StatusForbidden, http.StatusForbidden, http.StatusForbidden},
		"pull-requests: write": {map[string]string{"pull-requests": "write"}, http.StatusForbidden, http.StatusForbidden, http.StatusCreated, http.StatusOK, http.StatusForbidden},
		"none":                 {map[string]string{}, http.StatusForbidden, http.StatusForbidden, http.StatusForbidden, http.StatusForbidden, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := server.New(server.Options{
				Repository: "octo/tools",
				Token:      "of-a-person",
				Dispatch:   func(string, string, map[string]string) error { return nil },
				Branch:     func(name string) (string, bool) { return "at-" + name, true },
				Land:       func(server.Landing) (string, error) { return "landed", nil },
				JobsOpen:   true,
			})
			require.NoError(t, err)
			s.Grant("of-a-job", c.rights)
			as := func(token, method, path, body string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(method, "/repos/octo/tools/"+path, strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+token)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				return w
			}
			ask := func(method, path, body string) int { return as("of-a-job", method, path, body).Code }
			var opened struct{ Number int64 }
			require.NoError(t, json.Unmarshal(as("of-a-person", "POST", "pulls", `{"title": "x", "head": "topic", "base": "main"}`).Body.Bytes(), &opened))
			pull := fmt.Sprintf("pulls/%d", opened.Number)
			require.Equal(t, c.open, ask("POST", "pulls", `{"title": "y", "head": "other", "base": "main"}`))
			require.Equal(t, c.edit, ask("PATCH", pull, `{"title": "z"}`))
			require.Equal(t, c.merge, ask("PUT", pull+"/merge", `{}`))
			require.Equal(t, c.release, ask("POST", "releases", `{"tag_name": "v1"}`))
			require.Equal(t, c.request, ask("POST", "actions/workflows/release.yml/dispatches", `{"ref": "v1"}`))
			require.Equal(t, http.StatusOK, ask("GET", "releases", ""), "public data can be read without a token")
			s.Revoke("of-a-job")
			require.Equal(t, http.StatusUnauthorized, ask("GET", "releases", ""))
		})
	}
}
