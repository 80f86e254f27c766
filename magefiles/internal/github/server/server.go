// Package server is GitHub's REST API, embedded: the part of it that package github speaks, for one repository, with
// GitHub's own paths, shapes and status codes (https://docs.github.com/en/rest). A rehearsal mounts it in place of
// api.github.com, and an embedded CI tells it of its runs.
//
//	GET        /repos/{o}/{r}                                        the repository
//	GET        /repos/{o}/{r}/git/ref/tags/{tag}, /git/tags/{sha}    tags, light and annotated
//	GET POST   /repos/{o}/{r}/releases                               drafts only for those who may push
//	GET        /repos/{o}/{r}/releases/tags/{tag}                    never a draft
//	GET PATCH DELETE /repos/{o}/{r}/releases/{id}                    publishing makes the tag where there is none
//	GET        /repos/{o}/{r}/releases/{id}/assets
//	POST       /uploads/repos/{o}/{r}/releases/{id}/assets?name=     a half upload leaves an asset in state "starter"
//	GET DELETE /repos/{o}/{r}/releases/assets/{id}
//	GET        /repos/{o}/{r}/actions/runs, /actions/workflows/{file}/runs, /actions/runs/{id}[/artifacts, /jobs]
//	POST       /repos/{o}/{r}/actions/workflows/{file}/dispatches    of a workflow that has workflow_dispatch
//	POST       /repos/{o}/{r}/actions/runs/{id}/approve              "Approve and run", of a person
//	GET POST   /repos/{o}/{r}/pulls                                  by state, head and base; a job's token only where the setting lets it
//	GET PATCH  /repos/{o}/{r}/pulls/{number}
//	PUT        /repos/{o}/{r}/pulls/{number}/merge                   by merge, squash or rebase, as the rules of the base allow
//	GET        /repos/{o}/{r}/branches/{branch}, /rules/branches/{branch}
//	GET        /repos/{o}/{r}/actions/artifacts/{id}/zip             redirects to a signed address, which refuses a token
//	GET        /{o}/{r}/releases/download/{tag}/{name}
//
// With a folder its state outlasts the process, and a kill at any moment.
package server

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options are what a server stands for.
type Options struct {
	Repository    string // "owner/name"
	DefaultBranch string // "" is main
	Private       bool   // without a token there is nothing here
	Immutable     bool   // what is published cannot be changed (immutable releases)

	Token  string // may push; "" lets no one
	Reader string // may read and not push, as a job's own token without contents: write; "" is none

	// Tag finds a tag in the repository. Nil finds none.
	Tag func(name string) (Tag, bool)

	// Dispatch begins a run of a workflow at a branch or a tag, with inputs: nil where it does, [ErrNoWorkflow], [ErrNoRef], [ErrNoTrigger] or [ErrInput]
	// where it cannot. A nil function has no workflows.
	Dispatch func(workflow, ref string, inputs map[string]string) error

	// What pull requests need. Without Branch there are none.
	Branch   func(name string) (commit string, ok bool) // finds a branch in the repository
	Land     func(l Landing) (commit string, err error) // makes the commit of a merge, and moves the base to it
	Job      string                                     // GITHUB_TOKEN of a job: it may push, and what it does begins no run by itself; "" is none
	JobsOpen bool                                       // "Allow GitHub Actions to create and approve pull requests"
	ForkOf   string                                     // "owner/name" of the repository that this one was forked from

	URL   string           // as clients reach it, without a slash at its end; "" takes it of each request
	Blobs string           // where the handler can be reached under another address, for signed addresses; "" is URL
	Dir   string           // folder for the state; "" keeps it in memory
	Limit int              // requests an hour, of all clients together; 0 refuses none
	Now   func() time.Time // nil is the clock
}

// Tag is what a tag names.
type Tag struct {
	Object string // the id of the tag object of an annotated one; "" or the commit for a light one
	Commit string
}

// Server is the handler.
type Server struct {
	Options
	key string // of signed addresses

	mu      sync.Mutex // guards what follows
	state   state
	blobs   blobs
	rules   map[string]Rules  // by branch
	objects map[string]string // commits of annotated tags, by the ids of their objects
	used    int               // requests in this hour
	until   time.Time         // end of the hour

	granted grants
}

// New returns the handler, with the state that the folder has, if any.
func New(o Options) (*Server, error) {
	if o.DefaultBranch == "" {
		o.DefaultBranch = "main"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Dispatch == nil {
		o.Dispatch = func(string, string, map[string]string) error { return ErrNoWorkflow }
	}
	if o.Tag == nil {
		o.Tag = func(string) (Tag, bool) { return Tag{}, false }
	}
	s := &Server{Options: o, key: rand.Text(), objects: map[string]string{}, rules: map[string]Rules{}}
	if o.Job != "" {
		s.Grant(o.Job, map[string]string{"actions": "write", "contents": "write", "pull-requests": "write"})
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("opening the embedded GitHub in %s: %w", o.Dir, err)
	}
	return s, nil
}

// apiError is an answer that is no success, in GitHub's form.
type apiError struct {
	status  int
	Message string       `json:"message"`
	Errors  []fieldError `json:"errors,omitempty"`
	URL     string       `json:"documentation_url"`
	Status  string       `json:"status"`
}

type fieldError struct {
	Resource string `json:"resource"`
	Code     string `json:"code"`
	Field    string `json:"field,omitempty"`
	Message  string `json:"message,omitempty"`
}

func (e *apiError) Error() string { return e.Message }

func refusal(status int, message string, fields ...fieldError) *apiError {
	return &apiError{status: status, Message: message, Errors: fields, URL: "https://docs.github.com/rest", Status: strconv.Itoa(status)}
}

func invalid(fields ...fieldError) *apiError {
	return refusal(http.StatusUnprocessableEntity, "Validation Failed", fields...)
}

var (
	errNotFound   = refusal(http.StatusNotFound, "Not Found")
	errCredential = refusal(http.StatusUnauthorized, "Bad credentials")
	errAnonymous  = refusal(http.StatusUnauthorized, "Requires authentication")
	errForbidden  = refusal(http.StatusForbidden, "Resource not accessible by integration")
	errJSON       = refusal(http.StatusBadRequest, "Problems parsing JSON")
	errImmutable  = refusal(http.StatusUnprocessableEntity, "Cannot upload assets to an immutable release.")
	errLimit      = refusal(http.StatusForbidden, "API rate limit exceeded. (But here's the good news: Authenticated requests get a higher rate limit.)")
)

// Why a run of a workflow cannot be asked for.
var (
	ErrNoWorkflow = errNotFound
	ErrNoRef      = refusal(http.StatusUnprocessableEntity, "No ref found")
	ErrNoTrigger  = refusal(http.StatusUnprocessableEntity, "Workflow does not have 'workflow_dispatch' trigger")
	ErrInput      = refusal(http.StatusUnprocessableEntity, "Unexpected inputs provided")
)

// access is what a request needs, and what its bearer has.
type access int

const (
	reading access = iota // anyone, where the repository is public
	known                 // a token, whichever
	writing               // a token that may push
)

// page is a part of a list.
type page struct {
	total int // of the whole list
	items []any
}

// count keeps the rate limit, and says so in GitHub's headers.
func (s *Server) count(w http.ResponseWriter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if now.After(s.until) {
		s.used, s.until = 0, now.Add(time.Hour)
	}
	s.used++
	limit := s.Limit
	if limit == 0 {
		limit = 5000
	}
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, limit-s.used)))
	h.Set("X-RateLimit-Used", strconv.Itoa(s.used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(s.until.Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
	return s.Limit == 0 || s.used <= s.Limit
}

// fail answers with an error. One of no known form is the server's own trouble.
func fail(w http.ResponseWriter, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		e = refusal(http.StatusInternalServerError, "Server Error: "+err.Error())
	}
	_ = answer(w, e.status, e)
}

func answer(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // who does not listen any more does not miss it
	return nil
}

// paged cuts one page out of a list, and says in the Link header where the next one is.
func (s *Server) paged(w http.ResponseWriter, r *http.Request, all []any) page {
	number := func(key string, preset, most int) int {
		n, err := strconv.Atoi(r.URL.Query().Get(key))
		if err != nil || n < 1 {
			n = preset
		}
		return min(n, most)
	}
	size, n := number("per_page", 30, 100), number("page", 1, 1<<20)
	from := min((n-1)*size, len(all))
	to := min(from+size, len(all))
	if to < len(all) {
		q := r.URL.Query()
		q.Set("page", strconv.Itoa(n+1))
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, s.url(r), r.URL.EscapedPath(), q.Encode()))
	}
	return page{total: len(all), items: append([]any{}, all[from:to]...)}
}

// url is the server's address as the one who asks reaches it.
func (s *Server) url(r *http.Request) string {
	if s.URL != "" {
		return s.URL
	}
	return "http://" + r.Host
}

func (s *Server) api(r *http.Request) string { return s.url(r) + "/repos/" + s.Repository }

func id(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0 // which nothing has
	}
	return n
}

func (s *Server) repository(w http.ResponseWriter, r *http.Request, has access) error {
	owner, name, _ := strings.Cut(s.Repository, "/")
	repo := map[string]any{
		"id": 1, "name": name, "full_name": s.Repository, "private": s.Private, "archived": false, "default_branch": s.DefaultBranch,
		"html_url": s.url(r) + "/" + s.Repository, "url": s.api(r), "owner": map[string]any{"login": owner},
	}
	if s.ForkOf != "" {
		repo["fork"], repo["parent"] = true, map[string]any{"full_name": s.ForkOf}
	}
	if has != reading {
		repo["permissions"] = map[string]bool{"admin": false, "maintain": false, "push": has == writing, "triage": false, "pull": true}
	}
	return answer(w, http.StatusOK, repo)
}
