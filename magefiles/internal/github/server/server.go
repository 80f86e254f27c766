// Package server is GitHub's REST API, embedded: the part of it that package github uses, for one repository, with GitHub's own paths, shapes and
// status codes (https://docs.github.com/en/rest). A rehearsal uses it instead of api.github.com, and an embedded CI reports its runs to it.
//
//	GET        /repos/{o}/{r}                                        the repository
//	GET        /repos/{o}/{r}/git/ref/tags/{tag}, /git/tags/{sha}    tags, light and annotated
//	GET POST   /repos/{o}/{r}/releases                               drafts only for those who may push
//	GET        /repos/{o}/{r}/releases/tags/{tag}                    never a draft
//	GET PATCH DELETE /repos/{o}/{r}/releases/{id}                    publishing makes the tag if there is none
//	GET        /repos/{o}/{r}/releases/{id}/assets
//	POST       /uploads/repos/{o}/{r}/releases/{id}/assets?name=     a half upload leaves an asset in state "starter"
//	GET DELETE /repos/{o}/{r}/releases/assets/{id}
//	GET        /repos/{o}/{r}/actions/runs, /actions/workflows/{file}/runs, /actions/runs/{id}[/artifacts, /jobs, /pending_deployments]
//	POST       /repos/{o}/{r}/actions/workflows/{file}/dispatches    of a workflow that has workflow_dispatch
//	POST       /repos/{o}/{r}/actions/runs/{id}/approve              "Approve and run", of a person
//	GET POST   /repos/{o}/{r}/pulls                                  by state, head and base; a job's token only if the setting allows it
//	GET PATCH  /repos/{o}/{r}/pulls/{number}
//	PUT        /repos/{o}/{r}/pulls/{number}/merge                   by merge, squash or rebase, as the rules of the base allow
//	GET        /repos/{o}/{r}/branches/{branch}, /rules/branches/{branch}
//	GET        /repos/{o}/{r}/actions/artifacts/{id}/zip             redirects to a signed address, which refuses a token
//	GET        /{o}/{r}/releases/download/{tag}/{name}
//
// With a folder, its state survives the end of the process, and a kill at any moment.
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

// Options configures a server.
type Options struct {
	Repository    string // "owner/name"
	DefaultBranch string // "" means main
	Private       bool   // requests without a token get "not found"
	Immutable     bool   // published releases cannot be changed (immutable releases)

	Token  string // may push; "" means nobody can
	Reader string // may read but not push, like a job's token without contents: write; "" means none

	// Tag finds a tag in the repository. If nil, there are no tags.
	Tag func(name string) (Tag, bool)

	// Dispatch starts a workflow run for a branch or tag, with inputs. It returns [ErrNoWorkflow], [ErrNoRef], [ErrNoTrigger] or [ErrInput] if it
	// cannot. If nil, there are no workflows.
	Dispatch func(workflow, ref string, inputs map[string]string) error

	// These fields are for pull requests. Without Branch there are none.
	Branch   func(name string) (commit string, ok bool) // finds a branch in the repository
	Land     func(l Landing) (commit string, err error) // creates the merge commit, and moves the base to it
	Job      string                                     // a job's GITHUB_TOKEN, which may push but triggers no runs; "" means none
	JobsOpen bool                                       // "Allow GitHub Actions to create and approve pull requests"
	ForkOf   string                                     // "owner/name" of the parent repository

	URL   string           // the server's URL for clients, without a trailing slash; "" uses each request's host
	Blobs string           // another URL of the handler, for signed URLs; "" means URL
	Dir   string           // folder for the state; "" keeps it in memory
	Limit int              // total requests per hour; 0 means no limit
	Now   func() time.Time // nil means the system clock
}

// Tag holds the object and the commit of a tag.
type Tag struct {
	Object string // ID of an annotated tag's object; "" or the commit for a lightweight tag
	Commit string
}

// Server is the HTTP handler.
type Server struct {
	Options
	key string // key for signed URLs

	mu      sync.Mutex // guards the fields below
	state   state
	blobs   blobs
	rules   map[string]Rules  // by branch
	objects map[string]string // commits of annotated tags, by object ID
	used    int               // requests in the current hour
	until   time.Time         // end of the current hour

	granted grants
}

// New returns the handler. It loads the state from the folder, if one is set.
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

// apiError is an error response in GitHub's format.
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

// These errors tell why a workflow run cannot be started.
var (
	ErrNoWorkflow = errNotFound
	ErrNoRef      = refusal(http.StatusUnprocessableEntity, "No ref found")
	ErrNoTrigger  = refusal(http.StatusUnprocessableEntity, "Workflow does not have 'workflow_dispatch' trigger")
	ErrInput      = refusal(http.StatusUnprocessableEntity, "Unexpected inputs provided")
)

// access is the access that a request needs or a token has.
type access int

const (
	reading access = iota // none, if the repository is public
	known                 // any token
	writing               // a token that may push
)

// page is part of a list.
type page struct {
	total int // number of entries in the whole list
	items []any
}

// count counts a request, sets GitHub's rate limit headers, and reports whether the request is within the limit.
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

// fail sends an error response. Unknown errors are internal server errors.
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
	_, _ = w.Write(text) // the client may be gone
	return nil
}

// paginate returns one page of a list, and sets the Link header to the next page.
func (s *Server) paginate(w http.ResponseWriter, r *http.Request, all []any) page {
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

// url returns the server's URL, as used by the request.
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
		return 0 // no object has this ID
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

// NameOf converts a workspace's name to a repository name that GitHub would accept.
func NameOf(name string) string {
	name = strings.Map(func(c rune) rune {
		if c < 128 && (c == '-' || c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z') {
			return c
		}
		return '-'
	}, name)
	if strings.Trim(name, ".") == "" {
		return "workspace"
	}
	return name
}
