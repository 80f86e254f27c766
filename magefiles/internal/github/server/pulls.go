package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Rules holds a branch's rules.
type Rules struct {
	Pulls   bool   // commits are only accepted through pull requests
	Check   string // name of the check that must pass on the head of a pull request; "" means none
	Queue   bool   // merges go through the queue ([Server.Enqueue])
	Classic bool   // "branch protection", whose details only administrators can see
}

// Protect sets the rules of a branch.
func (s *Server) Protect(branch string, r Rules) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules[branch] = r
}

// Landing describes the merge of a pull request.
type Landing struct {
	Base    string // branch
	Head    string // commit
	Method  string // merge, squash or rebase
	Message string // message of the merge commit; a rebase keeps the existing messages
}

// ErrConflict is returned by Options.Land if a pull request cannot be merged.
var ErrConflict = errors.New("the pull request has conflicts")

// pull is a pull request. While it is open, it follows its branch.
type pull struct {
	Number  int64     `json:"number"`
	Title   string    `json:"title"`
	Body    string    `json:"body"`
	Base    string    `json:"base"`
	Head    string    `json:"head"`
	Commit  string    `json:"commit"`
	State   string    `json:"state"` // open, closed
	Became  string    `json:"became,omitempty"`
	Created time.Time `json:"created"`
	Merged  time.Time `json:"merged,omitzero"`
}

// follow updates each open pull request to the commit of its branch. It closes pull requests without a branch, and starts the checks of new commits.
// Checks of commits that were pushed with a job's token wait for approval. The caller holds the lock.
func (s *Server) follow(byJob bool) {
	for _, p := range s.state.Pulls {
		if p.State != "open" {
			continue
		}
		at, ok := s.Branch(p.Head)
		switch {
		case !ok:
			p.State = "closed"
		case at != p.Commit:
			p.Commit = at
			s.beginCheck(p, byJob)
		}
	}
}

// beginCheck starts the check of a pull request's head. The caller holds the lock.
func (s *Server) beginCheck(p *pull, byJob bool) {
	check := s.rules[p.Base].Check
	if check == "" {
		return
	}
	now := s.Now().UTC()
	run := &Run{
		ID:       s.nextID(),
		Workflow: "ci.yml",
		Name:     check,
		Event:    "pull_request",
		Ref:      p.Head,
		Commit:   p.Commit,
		Status:   "in_progress",
		Attempt:  1,
		Created:  now,
		Updated:  now,
	}
	if byJob {
		run.Status, run.Conclusion = "completed", "action_required"
	}
	s.state.Runs = append(s.state.Runs, run)
}

// approve implements https://docs.github.com/en/rest/actions/workflow-runs#approve-a-workflow-run-for-a-fork-pull-request ("Approve and run").
func (s *Server) approve(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, run := range s.state.Runs {
		if run.ID != id(r) {
			continue
		}
		if s.byJob(r) || run.Conclusion != "action_required" {
			return errForbidden
		}
		run.Status, run.Conclusion = "in_progress", ""
		if err := s.save(); err != nil {
			return err
		}
		return answer(w, http.StatusCreated, map[string]any{})
	}
	return errNotFound
}

// passed reports whether a check has passed on a commit, by the last run that a pull request or the queue started. Runs started by workflow_dispatch
// do not count. The caller holds the lock.
func (s *Server) passed(check, commit string) bool {
	for _, run := range slices.Backward(s.state.Runs) {
		if run.Name == check && run.Commit == commit && (run.Event == "pull_request" || run.Event == "merge_group") {
			return run.Conclusion == "success"
		}
	}
	return false
}

func (s *Server) viewPull(r *http.Request, p *pull) map[string]any {
	owner, _, _ := strings.Cut(s.Repository, "/")
	side := func(branch, commit string) map[string]any {
		return map[string]any{"ref": branch, "sha": commit, "label": owner + ":" + branch, "repo": map[string]any{"full_name": s.Repository}}
	}
	at, _ := s.Branch(p.Base)
	v := map[string]any{
		"id": p.Number, "number": p.Number, "title": p.Title, "body": p.Body, "state": p.State, "created_at": p.Created, "merged_at": nil, "merge_commit_sha": nil,
		"html_url": fmt.Sprintf("%s/%s/pull/%d", s.url(r), s.Repository, p.Number), "url": fmt.Sprintf("%s/pulls/%d", s.api(r), p.Number),
		"base": side(p.Base, at), "head": side(p.Head, p.Commit),
	}
	if !p.Merged.IsZero() {
		v["merged_at"], v["merge_commit_sha"] = p.Merged, p.Became
	}
	return v
}

// pulls implements https://docs.github.com/en/rest/pulls/pulls#list-pull-requests.
func (s *Server) pulls(w http.ResponseWriter, r *http.Request, _ access) error {
	if s.Branch == nil {
		return errNotFound
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow(s.byJob(r))
	owner, _, _ := strings.Cut(s.Repository, "/")
	q, all := r.URL.Query(), []any{}
	state := q.Get("state")
	for _, p := range slices.Backward(s.state.Pulls) {
		if state != "all" && p.State != map[bool]string{true: "open", false: state}[state == ""] {
			continue
		}
		if (q.Get("base") == "" || q.Get("base") == p.Base) && (q.Get("head") == "" || q.Get("head") == owner+":"+p.Head) {
			all = append(all, s.viewPull(r, p))
		}
	}
	return answer(w, http.StatusOK, s.paginate(w, r, all).items)
}

// openPull implements https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request.
func (s *Server) openPull(w http.ResponseWriter, r *http.Request, _ access) error {
	if s.Branch == nil {
		return errNotFound
	}
	var asked struct{ Title, Body, Base, Head string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return errJSON
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byJob(r) && !s.JobsOpen {
		return refusal(http.StatusForbidden, "GitHub Actions is not permitted to create or approve pull requests.")
	}
	at, ok := s.Branch(asked.Head)
	if !ok {
		return invalid(fieldError{Resource: "PullRequest", Field: "head", Code: "invalid"})
	}
	base, ok := s.Branch(asked.Base)
	if !ok {
		return invalid(fieldError{Resource: "PullRequest", Field: "base", Code: "invalid"})
	}
	if at == base {
		return invalid(fieldError{Resource: "PullRequest", Code: "custom", Message: "No commits between " + asked.Base + " and " + asked.Head})
	}
	if slices.ContainsFunc(s.state.Pulls, func(p *pull) bool { return p.State == "open" && p.Head == asked.Head && p.Base == asked.Base }) {
		owner, _, _ := strings.Cut(s.Repository, "/")
		return invalid(fieldError{Resource: "PullRequest", Code: "custom", Message: "A pull request already exists for " + owner + ":" + asked.Head + "."})
	}
	p := &pull{
		Number:  s.nextID(),
		Title:   asked.Title,
		Body:    asked.Body,
		Base:    asked.Base,
		Head:    asked.Head,
		Commit:  at,
		State:   "open",
		Created: s.Now().UTC(),
	}
	s.state.Pulls = append(s.state.Pulls, p)
	s.beginCheck(p, s.byJob(r))
	if err := s.save(); err != nil {
		return err
	}
	return answer(w, http.StatusCreated, s.viewPull(r, p))
}

// findPull finds the pull request in a request's path, at the commit of its branch. The caller holds the lock.
func (s *Server) findPull(r *http.Request) (*pull, error) {
	if s.Branch == nil {
		return nil, errNotFound
	}
	return s.pullAtHead(id(r), s.byJob(r))
}

// pullAtHead returns a pull request at the commit of its branch. byJob reports whether a job asks. The caller holds the lock.
func (s *Server) pullAtHead(number int64, byJob bool) (*pull, error) {
	s.follow(byJob)
	i := slices.IndexFunc(s.state.Pulls, func(p *pull) bool { return p.Number == number })
	if i < 0 {
		return nil, errNotFound
	}
	return s.state.Pulls[i], nil
}

func (s *Server) servePull(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.findPull(r)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, s.viewPull(r, p))
}

// editPull implements https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request.
func (s *Server) editPull(w http.ResponseWriter, r *http.Request, _ access) error {
	var asked struct{ Title, Body, State, Base *string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return errJSON
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.findPull(r)
	if err != nil {
		return err
	}
	if _, there := s.Branch(p.Head); asked.State != nil && *asked.State == "open" && (!there || !p.Merged.IsZero()) {
		return invalid(fieldError{Resource: "PullRequest", Field: "state", Code: "invalid"})
	}
	for to, value := range map[*string]*string{&p.Title: asked.Title, &p.Body: asked.Body, &p.State: asked.State, &p.Base: asked.Base} {
		if value != nil {
			*to = *value
		}
	}
	if err := s.save(); err != nil {
		return err
	}
	return answer(w, http.StatusOK, s.viewPull(r, p))
}

// mergePull implements https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request.
func (s *Server) mergePull(w http.ResponseWriter, r *http.Request, _ access) error {
	var asked struct {
		Method  string `json:"merge_method"`
		Title   string `json:"commit_title"`
		Message string `json:"commit_message"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return errJSON
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.findPull(r)
	if err != nil {
		return err
	}
	if err := s.merge(p, asked.Method, strings.TrimSpace(asked.Title+"\n\n"+asked.Message)); err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]any{"sha": p.Became, "merged": true, "message": "Pull Request successfully merged"})
}

// merge merges a pull request if the base's rules allow it. The caller holds the lock.
func (s *Server) merge(p *pull, method, message string) error {
	if s.rules[p.Base].Queue {
		return refusal(http.StatusMethodNotAllowed, "Changes must be made through the merge queue")
	}
	if check := s.rules[p.Base].Check; check != "" && !s.passed(check, p.Commit) {
		return refusal(http.StatusMethodNotAllowed, fmt.Sprintf("Required status check %q is expected.", check))
	}
	return s.land(p, method, message)
}

// Pull describes a pull request.
type Pull struct {
	Number int64
	Title  string
	Open   bool
	Became string // the resulting commit; "" if it was not merged
}

// NewestPull returns the newest pull request to a branch, or false if there is none.
func (s *Server) NewestPull(base string) (Pull, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow(false)
	for _, p := range slices.Backward(s.state.Pulls) {
		if p.Base == base {
			return Pull{Number: p.Number, Title: p.Title, Open: p.State == "open", Became: p.Became}, true
		}
	}
	return Pull{}, false
}

// MergeChecked makes a pull request's check pass, then squash-merges. `how` describes how the check passed: a check that a job's token started waits
// until a user presses "Approve and run".
func (s *Server) MergeChecked(number int64) (commit, how string, err error) {
	if how, err = s.pass(number); err == nil {
		commit, err = s.Squash(number)
	}
	return commit, how, err
}

// pass makes a pull request's check pass.
func (s *Server) pass(number int64) (how string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.pullAtHead(number, false)
	if err != nil {
		return "", err
	}
	for _, run := range slices.Backward(s.state.Runs) {
		if run.Event != "pull_request" || run.Commit != p.Commit {
			continue
		}
		how = "its check has passed"
		if run.Conclusion == "action_required" {
			how = "its check has passed, after someone pressed \"Approve and run\" once, because a job opened the pull request"
		}
		run.Status, run.Conclusion = "completed", "success"
		return how, s.save()
	}
	return "no check is required", nil
}

// Squash merges a pull request like the button "Squash and merge", with GitHub's default message. It returns the commit.
func (s *Server) Squash(number int64) (commit string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.pullAtHead(number, false)
	if err != nil {
		return "", err
	}
	err = s.merge(p, "squash", "")
	return p.Became, err
}

// land merges a pull request. The caller holds the lock.
func (s *Server) land(p *pull, method, message string) error {
	if p.State != "open" {
		return refusal(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	}
	if method == "" {
		method = "merge"
	}
	if message == "" {
		message = fmt.Sprintf("%s (#%d)\n", p.Title, p.Number)
		if method == "merge" {
			message = fmt.Sprintf("Merge pull request #%d from %s\n\n%s\n", p.Number, p.Head, p.Title)
		}
	}
	became, err := s.Land(Landing{
		Base:    p.Base,
		Head:    p.Commit,
		Method:  method,
		Message: message,
	})
	if errors.Is(err, ErrConflict) {
		return refusal(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	}
	if err != nil {
		return err
	}
	p.State, p.Became, p.Merged = "closed", became, s.Now().UTC()
	return s.save()
}

// Enqueue adds a pull request to the merge queue. `conclusion` is the result of the queue's check on the merged commit. On success, the pull request
// is merged, with a commit that the queue creates.
func (s *Server) Enqueue(number int64, conclusion string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.pullAtHead(number, false)
	if err != nil {
		return fmt.Errorf("there is no pull request #%d: %w", number, err)
	}
	check := s.rules[p.Base].Check
	if check != "" && !s.passed(check, p.Commit) {
		return fmt.Errorf("the check %s of #%d has not passed, so the pull request is not added to the queue", check, number)
	}
	now := s.Now().UTC()
	s.state.Runs = append(s.state.Runs, &Run{
		ID:         s.nextID(),
		Workflow:   "ci.yml",
		Name:       check,
		Event:      "merge_group",
		Ref:        fmt.Sprintf("gh-readonly-queue/%s/pr-%d", p.Base, number),
		Commit:     p.Commit,
		Status:     "completed",
		Conclusion: conclusion,
		Attempt:    1,
		Created:    now,
		Updated:    now,
	})
	if conclusion != "success" {
		return s.save()
	}
	return s.land(p, "squash", "")
}

// branch implements https://docs.github.com/en/rest/branches/branches#get-a-branch.
func (s *Server) branch(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := r.PathValue("branch")
	if s.Branch == nil {
		return errNotFound
	}
	at, ok := s.Branch(name)
	if !ok {
		return errNotFound
	}
	rules := s.rules[name]
	v := map[string]any{"name": name, "commit": map[string]any{"sha": at}, "protected": rules.Classic}
	if rules.Classic && rules.Check != "" {
		v["protection"] = map[string]any{"enabled": true, "required_status_checks": map[string]any{"enforcement_level": "non_admins", "contexts": []string{rules.Check}}}
	}
	return answer(w, http.StatusOK, v)
}

// branchRules implements https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch.
func (s *Server) branchRules(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rules, all := s.rules[r.PathValue("branch")], []any{}
	for kind, holds := range map[string]bool{"pull_request": rules.Pulls, "merge_queue": rules.Queue, "required_status_checks": rules.Check != ""} {
		if holds && !rules.Classic {
			rule := map[string]any{"type": kind, "ruleset_id": 1, "ruleset_source": s.Repository}
			if kind == "required_status_checks" {
				rule["parameters"] = map[string]any{"required_status_checks": []any{map[string]any{"context": rules.Check}}}
			}
			all = append(all, rule)
		}
	}
	return answer(w, http.StatusOK, s.paginate(w, r, all).items)
}
