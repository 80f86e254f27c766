package oidc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// GitHub's runner sets these variables for a job that has the permission id-token: write. The job uses them to call the token service.
const (
	requestURL   = "ACTIONS_ID_TOKEN_REQUEST_URL"
	requestToken = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

type github struct {
	getenv func(string) string
	Options
}

func (*github) Name() string { return "GitHub Actions" }

// Token implements CI. It sends a GET request with the audience as a query parameter and the job's own token in a header. The response is
// {"value": …}.
func (g *github) Token(ctx context.Context, audience string) (string, error) {
	endpoint, bearer := g.getenv(requestURL), g.getenv(requestToken)
	if endpoint == "" || bearer == "" {
		return "", operr.New("give the job `permissions: id-token: write` (a pull request from a fork cannot have this permission)",
			"GitHub Actions offers this job no ID token: %s is not set", requestURL)
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" && !(u.Scheme == "http" && httpclient.Loopback(u.Hostname())) {
		return "", operr.New("find out which step changes this variable: the runner sets an https URL", "%s is not an https URL", requestURL)
	}
	q := u.Query()
	q.Set("audience", audience)
	u.RawQuery = q.Encode()
	var token string
	err = httpclient.Retry{Wait: g.Wait}.Do(ctx, func(int) (err error) {
		token, err = g.ask(ctx, u.String(), bearer)
		return err
	})
	if err != nil {
		return "", operr.New("run the job again; if that does not help, look at githubstatus.com", "asking GitHub Actions for an ID token: %w", err)
	}
	return token, nil
}

// ask sends one request.
func (g *github) ask(ctx context.Context, endpoint, bearer string) (token string, err error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(g.Patience, patience))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return "", httpclient.MarkFinal(errors.New("the URL for ID tokens is not valid")) // err contains the URL
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Accept", "application/json; api-version=2.0")
	resp, err := (&http.Client{Transport: g.Transport, CheckRedirect: httpclient.Refuse}).Do(r)
	if err != nil {
		return "", httpclient.Plain(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", httpclient.Plain(err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", &statusError{status: resp.StatusCode, after: httpclient.RetryAfter(resp)}
	}
	var answer struct{ Value string }
	if err := json.Unmarshal(body, &answer); err != nil || answer.Value == "" {
		return "", httpclient.MarkFinal(errors.New("the answer contains no token"))
	}
	return answer.Value, nil
}

// statusError is a response without a token. It implements httpclient.Answer.
type statusError struct {
	status int
	after  time.Duration // from Retry-After, or 0
}

func (e *statusError) Error() string {
	return fmt.Sprintf("HTTP %d %s", e.status, http.StatusText(e.status))
}

// Again implements httpclient.Answer.
func (e *statusError) Again() (bool, time.Duration) { return httpclient.Passing(e.status), e.after }

type gitlab struct{ getenv func(string) string }

func (*gitlab) Name() string { return "GitLab CI" }

// Token implements CI. GitLab stores the token in a variable that the job's definition names.
func (g *gitlab) Token(_ context.Context, audience string) (string, error) {
	name := variable(audience)
	if token := g.getenv(name); token != "" {
		return token, nil
	}
	return "", operr.New(fmt.Sprintf("give the job `id_tokens: {%s: {aud: %s}}`", name, audience),
		"GitLab CI offers this job no ID token: %s is not set", name)
}
