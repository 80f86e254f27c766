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

// What an answer that is no success means. Every *StatusError is one of these, or none.
var (
	ErrUnauthorized = errors.New("the token is not accepted")
	ErrForbidden    = errors.New("the token may not do this")
	ErrNotFound     = errors.New("not found")
	ErrLimited      = errors.New("rate limit")
	ErrUnavailable  = errors.New("unavailable")

	errExists    = errors.New("already exists")
	errImmutable = errors.New("immutable")
)

// StatusError is an answer that is no success.
type StatusError struct {
	Status  int
	Message string        // GitHub's own, with what it says of single fields; or ""
	After   time.Duration // what it asks to wait, or 0
	Reset   time.Time     // for ErrLimited: when it will answer again, by its own clock

	is   error
	page bool // a page of HTML that refuses: GitHub's API answers in JSON
}

// MayNotRead reports whether an answer is one to a token that may not read something: GitHub hides what there is by saying that it is not found. A limit of
// requests, which has the same status, is none.
func MayNotRead(err error) bool {
	return errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden) || errors.Is(err, ErrNotFound)
}

// Cure is what to do about a page that refuses, which is of something before GitHub; "" for GitHub's own answers.
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

// Again implements httpclient.Answer: after what may pass, and after a limit that ends soon.
func (e *StatusError) Again() (bool, time.Duration) {
	return errors.Is(e.is, ErrUnavailable) || errors.Is(e.is, ErrLimited) && e.After <= time.Minute, e.After
}

// statusError reads GitHub's form of an error: {"message": …, "errors": [{"resource", "field", "code", "message"}]}
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
			_ = json.Unmarshal(raw, &f.Message) // an error may be a mere text; anything else says nothing
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

// tidy is httpclient.Said, and takes the token out, should the server send that back.
func (c *Client) tidy(text string) string {
	if c.token != "" {
		text = strings.ReplaceAll(text, string(c.token), "***")
	}
	return httpclient.Said(text)
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

// limited recognizes both limits and sets when to ask again: after Retry-After, at the reset, or else after a minute
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

// permission is what a token needs, as it is written in a workflow, and as it is called where tokens are made.
type permission struct{ job, token string }

var (
	contents = permission{job: "contents: write", token: "Contents: read and write"}
	actions  = permission{job: "actions: read", token: "Actions: read"}
	dispatch = permission{job: "actions: write", token: "Actions: read and write"}
	pulls    = permission{job: "pull-requests: write", token: "Pull requests: read and write"}
	metadata = permission{job: "contents: read", token: "Metadata: read"}
)

// explain says what was being done and what to do next.
func (c *Client) explain(err error, p permission, format string, args ...any) error {
	return &operr.Error{Summary: fmt.Sprintf(format, args...) + ": " + err.Error(), Next: c.next(err, p), Err: err}
}

func (c *Client) next(err error, p permission) string {
	var said *operr.Error
	var status *StatusError
	var answer httpclient.Answer
	switch {
	case errors.As(err, &said):
		return "" // it has its own
	case errors.Is(err, ErrUnauthorized) && c.token == "":
		return "set GITHUB_TOKEN to a token for " + c.repository + " with " + p.token
	case errors.Is(err, ErrUnauthorized):
		return "see whether the token in GITHUB_TOKEN was mistyped, has expired or was revoked, and make another one with " + p.token
	case errors.Is(err, ErrLimited):
		return c.whenLimited(err)
	case errors.Is(err, ErrForbidden) && strings.Contains(err.Error(), "SAML"):
		return "authorize the token for the organization, in the settings where it was made"
	case errors.Is(err, ErrForbidden) && strings.Contains(err.Error(), "archived"):
		return "take the repository out of the archive: nothing can be written to it"
	case errors.Is(err, ErrForbidden) && strings.Contains(err.Error(), "not permitted to create"):
		return "allow it in the settings of the repository, or of its organization: Actions, General, \"Allow GitHub Actions to create and approve pull requests\"; or give the job " +
			"the token of a GitHub App as RELEASE_PR_TOKEN"
	case errors.Is(err, ErrForbidden):
		return "give the job `permissions: " + p.job + "`; a token of a person needs " + p.token + " for " + c.repository
	case errors.Is(err, ErrNotFound):
		return "check the name " + c.repository + " and the API's address " + strings.TrimSuffix(c.base.String(), "/") +
			"; to a token that may not see it, GitHub says of a private repository, and of writing, that it is not there"
	case errors.Is(err, errImmutable):
		return "raise the version: releases of this repository are immutable once they are published"
	case errors.Is(err, ErrUnavailable):
		return "run it again later: what is there is not sent twice; githubstatus.com may know more"
	case errors.As(err, &status) && status.Status >= 300 && status.Status < 400:
		return "the repository has another name now: `git remote set-url` to that"
	case errors.As(err, &answer):
		return "see what GitHub says there"
	}
	return "see whether " + c.base.Host + " can be reached, and run it again: what is there is not sent twice"
}

func (c *Client) whenLimited(err error) string {
	next := "run it again later"
	var status *StatusError
	if errors.As(err, &status) {
		next = "run it again after " + status.Reset.Format("15:04:05 UTC on 2006-01-02")
	}
	if c.token == "" {
		next += ", or set GITHUB_TOKEN: without a token only 60 requests an hour are answered"
	}
	return next
}
