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

// The variables by which a job on GitHub's runners reaches the token service. They are there only with the permission
// id-token: write.
const (
	requestURL   = "ACTIONS_ID_TOKEN_REQUEST_URL"
	requestToken = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

type github struct {
	getenv func(string) string
	Options
}

func (*github) Name() string { return "GitHub Actions" }

// Token implements CI: a GET with the audience in the query and the job's own token, answered by {"value": …}.
func (g *github) Token(ctx context.Context, audience string) (string, error) {
	endpoint, bearer := g.getenv(requestURL), g.getenv(requestToken)
	if endpoint == "" || bearer == "" {
		return "", operr.New("give the job `permissions: id-token: write` (a pull request of a fork cannot have it)",
			"GitHub Actions offers this job no ID token: %s is not set", requestURL)
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" && !(u.Scheme == "http" && httpclient.Loopback(u.Hostname())) {
		return "", operr.New("see where it is set: the runner sets an https URL", "%s is no https URL", requestURL)
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
		return "", operr.New("run the job again; where that does not help, look at githubstatus.com", "asking GitHub Actions for an ID token: %w", err)
	}
	return token, nil
}

// ask makes one request.
func (g *github) ask(ctx context.Context, endpoint, bearer string) (token string, err error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(g.Patience, patience))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return "", httpclient.NotAgain(errors.New("the address cannot be used")) // the error would show it
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
		return "", httpclient.NotAgain(errors.New("the answer has no token in it"))
	}
	return answer.Value, nil
}

// statusError is an answer without a token. It is an httpclient.Answer.
type statusError struct {
	status int
	after  time.Duration // what it asks to wait, or 0
}

func (e *statusError) Error() string {
	return fmt.Sprintf("HTTP %d %s", e.status, http.StatusText(e.status))
}

// Again implements httpclient.Answer.
func (e *statusError) Again() (bool, time.Duration) { return httpclient.Passing(e.status), e.after }

type gitlab struct{ getenv func(string) string }

func (*gitlab) Name() string { return "GitLab CI" }

// Token implements CI: GitLab puts the token into a variable that the job has asked for.
func (g *gitlab) Token(_ context.Context, audience string) (string, error) {
	name := variable(audience)
	if token := g.getenv(name); token != "" {
		return token, nil
	}
	return "", operr.New(fmt.Sprintf("give the job `id_tokens: {%s: {aud: %s}}`", name, audience),
		"GitLab CI offers this job no ID token: %s is not set", name)
}
