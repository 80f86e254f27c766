package server

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Run is a workflow run reported by an embedded CI.
type Run struct {
	ID         int64     `json:"id"`       // set by AddRun
	Workflow   string    `json:"workflow"` // file name, such as "release.yml"
	Name       string    `json:"name"`
	Event      string    `json:"event"`
	Ref        string    `json:"ref"` // branch or tag, by its short name
	Commit     string    `json:"commit"`
	Status     string    `json:"status"`     // "" means in_progress
	Conclusion string    `json:"conclusion"` // set by FinishRun
	Attempt    int       `json:"attempt"`
	Created    time.Time `json:"created"`
	Updated    time.Time `json:"updated"`

	Jobs []Job `json:"jobs,omitempty"` // set by TellJobs

	Environment string   `json:"environment,omitempty"` // the environment whose approval the run is waiting for
	Reviewers   []string `json:"reviewers,omitempty"`   // reviewers who must approve it: logins, and "team NAME"
}

// Job is a job of a run.
type Job struct {
	Name       string `json:"name"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion,omitempty"`
}

// TellJobs sets the jobs of a run, with the status of each.
func (s *Server) TellJobs(id int64, jobs ...Job) error {
	return s.withRun(id, func(r *Run) { r.Jobs = jobs })
}

// jobs implements https://docs.github.com/en/rest/actions/workflow-jobs, for the last attempt.
func (s *Server) jobs(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.state.Runs, func(run *Run) bool { return run.ID == id(r) })
	if i < 0 {
		return errNotFound
	}
	all := []any{}
	for n, job := range s.state.Runs[i].Jobs {
		v := map[string]any{
			"id": n + 1, "run_id": id(r), "name": job.Name, "status": job.Status, "conclusion": nil,
			"html_url": fmt.Sprintf("%s/%s/actions/runs/%d/job/%d", s.url(r), s.Repository, id(r), n+1),
		}
		if job.Conclusion != "" {
			v["conclusion"] = job.Conclusion
		}
		all = append(all, v)
	}
	p := s.paginate(w, r, all)
	return answer(w, http.StatusOK, map[string]any{"total_count": p.total, "jobs": p.items})
}

// AddRun adds a started run, and returns its ID.
func (s *Server) AddRun(run Run) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	run.ID, run.Attempt, run.Conclusion = s.nextID(), max(run.Attempt, 1), ""
	if run.Status == "" {
		run.Status = "in_progress"
	}
	run.Created = s.Now().UTC()
	run.Updated = run.Created
	s.state.Runs = append(s.state.Runs, &run)
	return run.ID, s.save()
}

// FinishRun ends a run. `conclusion` is success, failure, cancelled, …
func (s *Server) FinishRun(id int64, conclusion string) error {
	return s.withRun(id, func(r *Run) { r.Status, r.Conclusion = "completed", conclusion })
}

// HoldRun makes a run wait for the approval of an environment.
func (s *Server) HoldRun(id int64, environment string, reviewers ...string) error {
	return s.withRun(id, func(r *Run) { r.Status, r.Environment, r.Reviewers = "waiting", environment, reviewers })
}

// ApproveRun lets a run continue.
func (s *Server) ApproveRun(id int64) error {
	return s.withRun(id, func(r *Run) { r.Status, r.Environment, r.Reviewers = "in_progress", "", nil })
}

// pending implements https://docs.github.com/en/rest/actions/workflow-runs: it returns the environment that a run is waiting for.
func (s *Server) pending(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []any{}
	for _, run := range s.state.Runs {
		if run.ID != id(r) || run.Environment == "" {
			continue
		}
		reviewers := []any{}
		for _, name := range run.Reviewers {
			if team, ok := strings.CutPrefix(name, "team "); ok {
				reviewers = append(reviewers, map[string]any{"type": "Team", "reviewer": map[string]any{"name": team, "slug": team}})
			} else {
				reviewers = append(reviewers, map[string]any{"type": "User", "reviewer": map[string]any{"login": name}})
			}
		}
		all = append(all, map[string]any{"environment": map[string]any{"name": run.Environment}, "wait_timer": 0, "reviewers": reviewers})
	}
	return answer(w, http.StatusOK, all)
}

// RerunRun starts another attempt of a run, with the same ID.
func (s *Server) RerunRun(id int64) error {
	return s.withRun(id, func(r *Run) { r.Status, r.Conclusion, r.Attempt = "in_progress", "", r.Attempt+1 })
}

func (s *Server) withRun(id int64, do func(*Run)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.state.Runs, func(r *Run) bool { return r.ID == id })
	if i < 0 {
		return fmt.Errorf("there is no run %d", id)
	}
	do(s.state.Runs[i])
	s.state.Runs[i].Updated = s.Now().UTC()
	return s.save()
}

// AddArtifact stores files as a named artifact of a run, in one zip archive, like actions/upload-artifact.
func (s *Server) AddArtifact(run int64, name string, files map[string][]byte) error {
	archive, err := zipped(files)
	if err != nil {
		return err
	}
	var a *artifact
	err = s.withRun(run, func(*Run) {
		a = &artifact{ID: s.nextID(), Run: run, Name: name, Size: int64(len(archive)), Created: s.Now().UTC()}
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.blobs.put(a.ID, archive); err != nil {
		return err
	}
	s.state.Artifacts = append(s.state.Artifacts, a)
	return s.save()
}

// Expire expires all artifacts of a run.
func (s *Server) Expire(run int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.state.Artifacts {
		a.Expired = a.Expired || a.Run == run
	}
	return s.save()
}

func zipped(files map[string][]byte) ([]byte, error) {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range names {
		f, err := z.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}

func (s *Server) viewRun(r *http.Request, run *Run) map[string]any {
	v := map[string]any{
		"id": run.ID, "name": run.Name, "path": ".github/workflows/" + run.Workflow, "head_branch": run.Ref, "head_sha": run.Commit,
		"event": run.Event, "status": run.Status, "conclusion": nil, "run_attempt": run.Attempt, "run_number": run.ID,
		"html_url": fmt.Sprintf("%s/%s/actions/runs/%d", s.url(r), s.Repository, run.ID), "created_at": run.Created, "updated_at": run.Updated,
	}
	if run.Conclusion != "" {
		v["conclusion"] = run.Conclusion
	}
	return v
}

// `runs` implements https://docs.github.com/en/rest/actions/workflow-runs, for all workflows and for one.
func (s *Server) runs(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, all := r.URL.Query(), []any{}
	file := strings.TrimPrefix(r.PathValue("file"), ".github/workflows/")
	is := func(key, value string) bool { return q.Get(key) == "" || q.Get(key) == value }
	for _, run := range slices.Backward(s.state.Runs) {
		if (file == "" || file == run.Workflow) && is("head_sha", run.Commit) && is("branch", run.Ref) && is("event", run.Event) &&
			(is("status", run.Status) || is("status", run.Conclusion)) {
			all = append(all, s.viewRun(r, run))
		}
	}
	p := s.paginate(w, r, all)
	return answer(w, http.StatusOK, map[string]any{"total_count": p.total, "workflow_runs": p.items})
}

// dispatch implements https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, _ access) error {
	var asked struct {
		Ref    string
		Inputs map[string]string
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return errJSON
	}
	ref := strings.TrimPrefix(strings.TrimPrefix(asked.Ref, "refs/tags/"), "refs/heads/")
	if err := s.Dispatch(strings.TrimPrefix(r.PathValue("file"), ".github/workflows/"), ref, asked.Inputs); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) run(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, run := range s.state.Runs {
		if run.ID == id(r) {
			return answer(w, http.StatusOK, s.viewRun(r, run))
		}
	}
	return errNotFound
}

// artifacts implements https://docs.github.com/en/rest/actions/artifacts#list-workflow-run-artifacts.
func (s *Server) artifacts(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, name := []any{}, r.URL.Query().Get("name")
	for _, a := range slices.Backward(s.state.Artifacts) {
		if a.Run == id(r) && (name == "" || name == a.Name) {
			url := fmt.Sprintf("%s/actions/artifacts/%d", s.api(r), a.ID)
			all = append(all, map[string]any{
				"id": a.ID, "name": a.Name, "size_in_bytes": a.Size, "expired": a.Expired, "created_at": a.Created,
				"url": url, "archive_download_url": url + "/zip",
			})
		}
	}
	p := s.paginate(w, r, all)
	return answer(w, http.StatusOK, map[string]any{"total_count": p.total, "artifacts": p.items})
}

// artifact implements https://docs.github.com/en/rest/actions/artifacts#download-an-artifact.
func (s *Server) artifact(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.state.Artifacts {
		if a.ID == id(r) {
			if a.Expired {
				return refusal(http.StatusGone, "Artifact has expired")
			}
			s.redirect(w, r, a.ID)
			return nil
		}
	}
	return errNotFound
}
