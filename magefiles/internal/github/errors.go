package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// These errors classify unsuccessful responses. A *StatusError wraps at most one of them.
var (
	ErrUnauthorized = errors.New("the token is not accepted")
	ErrForbidden    = errors.New("the token may not do this")
	ErrNotFound     = errors.New("not found")
	ErrLimited      = errors.New("rate limit")
	ErrUnavailable  = errors.New("unavailable")

	errExists    = errors.New("already exists")
	errImmutable = errors.New("immutable")
)

// StatusError is an unsuccessful response.
type StatusError struct {
	Status  int
	Message string        // GitHub's error message, with its messages about fields; or ""
	After   time.Duration // how long GitHub asks the client to wait, or 0
	Reset   time.Time     // for ErrLimited, when the limit ends, by GitHub's clock

	is   error
	page bool // the response is an HTML page, although GitHub's API sends JSON
}

// MayNotRead reports whether a response means that the token may not read something. GitHub responds with "not found" to hide what exists. Rate
// limits, which have the same status, do not count.
func MayNotRead(err error) bool {
	return errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden) || errors.Is(err, ErrNotFound)
}

// Cure returns the next step for an HTML error page, which a proxy in front of GitHub sends, or "" for GitHub's own responses.
func (e *StatusError) Cure() string {
	if !e.page {
		return ""
	}
	return httpclient.BlockedNext
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("HTTP %d", e.Status)
	if e.Message == "" {
		return text + " " + http.StatusText(e.Status)
	}
	return text + ": " + e.Message
}

func (e *StatusError) Unwrap() error { return e.is }

// Again implements httpclient.Answer. It allows a retry after a transient error, and after a rate limit that ends soon.
func (e *StatusError) Again() (bool, time.Duration) {
	return errors.Is(e.is, ErrUnavailable) || errors.Is(e.is, ErrLimited) && e.After <= time.Minute, e.After
}

// statusError parses GitHub's error format: {"message": …, "errors": [{"resource", "field", "code", "message"}]}
// (https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api).
func (c *Client) statusError(r *http.Response, body []byte) *StatusError {
	e := &StatusError{Status: r.StatusCode, After: httpclient.RetryAfter(r)}
	var answer struct {
		Message string                   `json:"message"`
		Errors  entries[json.RawMessage] `json:"errors"`
	}
	if json.Unmarshal(body, &answer) == nil {
		e.Message = answer.Message
	} else if e.page = httpclient.Blocks(r.StatusCode, string(body)); e.page {
		e.Message = string(body)
	}
	var codes []string
	for _, raw := range answer.Errors {
		var f struct{ Field, Code, Message string }
		if json.Unmarshal(raw, &f) != nil {
			_ = json.Unmarshal(raw, &f.Message) // an error may be a string; other types are ignored
		}
		codes = append(codes, f.Code)
		if f.Message == "" {
			f.Message = strings.TrimSpace(f.Field + " " + f.Code)
		}
		e.Message += "; " + f.Message
	}
	e.Message = c.tidy(e.Message)
	e.is = e.kind(codes)
	if c.limited(r, e) {
		e.is = ErrLimited
	}
	return e
}

// tidy is like httpclient.Sanitize, but also removes the token if the server echoes it.
func (c *Client) tidy(text string) string {
	if c.token != "" {
		text = strings.ReplaceAll(text, string(c.token), "***")
	}
	return httpclient.Sanitize(text)
}

func (e *StatusError) kind(codes []string) error {
	switch {
	case e.Status == http.StatusUnauthorized:
		return ErrUnauthorized
	case strings.Contains(e.Message, "immutable release"):
		return errImmutable
	case e.Status == http.StatusForbidden:
		return ErrForbidden
	case e.Status == http.StatusNotFound, e.Status == http.StatusGone:
		return ErrNotFound
	case e.Status == http.StatusUnprocessableEntity && slices.Contains(codes, "already_exists"):
		return errExists
	case httpclient.Passing(e.Status):
		return ErrUnavailable
	}
	return nil
}

// limited recognizes both rate limits, and sets when to retry: after Retry-After, at the reset, or otherwise after a minute
// (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit).
func (c *Client) limited(r *http.Response, e *StatusError) bool {
	if e.Status != http.StatusForbidden && e.Status != http.StatusTooManyRequests {
		return false
	}
	used := r.Header.Get("X-RateLimit-Remaining") == "0"
	text := strings.ToLower(e.Message)
	if !used && e.Status != http.StatusTooManyRequests && r.Header.Get("Retry-After") == "" &&
		!strings.Contains(text, "rate limit") && !strings.Contains(text, "abuse detection") {
		return false
	}
	now := httpclient.Date(r)
	reset, err := strconv.ParseInt(r.Header.Get("X-RateLimit-Reset"), 10, 64)
	switch {
	case e.After > 0:
	case used && err == nil:
		e.After = max(time.Second, time.Unix(reset, 0).Sub(now))
	default:
		e.After = time.Minute
	}
	e.Reset = now.Add(e.After).UTC()
	return true
}

// permission is a token permission, as it is spelled in a workflow and on the page that creates tokens.
type permission struct{ job, token string }

var (
	contents = permission{job: "contents: write", token: "Contents: read and write"}
	actions  = permission{job: "actions: read", token: "Actions: read"}
	dispatch = permission{job: "actions: write", token: "Actions: read and write"}
	pulls    = permission{job: "pull-requests: write", token: "Pull requests: read and write"}
	metadata = permission{job: "contents: read", token: "Metadata: read"}
)

// explain adds the attempted operation and the next step to an error.
func (c *Client) explain(err error, p permission, format string, args ...any) error {
	return &operr.Error{Summary: fmt.Sprintf(format, args...) + ": " + err.Error(), Next: c.next(err, p), Err: err}
}

func (c *Client) next(err error, p permission) string {
	var said *operr.Error
	var status *StatusError
	var answer httpclient.Answer
	switch {
	case errors.As(err, &said):
		return "" // such an error has its own next step
	case errors.Is(err, ErrUnauthorized) && c.token == "":
		return "set GITHUB_TOKEN to a token for " + c.repository + " with " + p.token
	case errors.Is(err, ErrUnauthorized):
		return "check whether the token in GITHUB_TOKEN is wrong, expired or revoked, and make another token with " + p.token
	case errors.Is(err, ErrLimited):
		return c.describeLimit(err)
	case errors.Is(err, ErrForbidden) && strings.Contains(err.Error(), "SAML"):
		return "authorize the token for the organization, in the settings where the token was made"
	case errors.Is(err, ErrForbidden) && strings.Contains(err.Error(), "archived"):
		return "unarchive the repository: nothing can be written to an archived repository"
	case errors.Is(err, ErrForbidden) && strings.Contains(err.Error(), "not permitted to create"):
		return "in the settings of the repository or its organization (Actions, General), select \"Allow GitHub Actions to create and approve pull requests\"; or give the job " +
			"the token of a GitHub App as RELEASE_PR_TOKEN"
	case errors.Is(err, ErrForbidden):
		return "give the job `permissions: " + p.job + "`; a person's token needs the permission " + p.token + " for " + c.repository
	case errors.Is(err, ErrNotFound):
		return "check the name " + c.repository + " and the API's address " + strings.TrimSuffix(c.base.String(), "/") +
			"; GitHub also answers \"not found\" if the token may not read a private repository, or may not write"
	case errors.Is(err, errImmutable):
		return "release a higher version: published releases of this repository are immutable"
	case errors.Is(err, ErrUnavailable):
		return "run the same command again later (uploaded files are not sent twice); see githubstatus.com for problems of GitHub"
	case errors.As(err, &status) && status.Status >= 300 && status.Status < 400:
		return "change the remote with `git remote set-url`, because the repository has a new name"
	case errors.As(err, &answer):
		return "read GitHub's message above"
	}
	return "check that " + c.base.Host + " can be reached, and run the same command again (uploaded files are not sent twice)"
}

func (c *Client) describeLimit(err error) string {
	next := "run the same command again later"
	var status *StatusError
	if errors.As(err, &status) {
		next = "run the same command again after " + status.Reset.Format("15:04:05 UTC on 2006-01-02")
	}
	if c.token == "" {
		next += ", or set GITHUB_TOKEN, because without a token GitHub answers only 60 requests an hour"
	}
	return next
}
