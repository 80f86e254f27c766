package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
)

// mintedFor is the default lifetime of a minted token.
const mintedFor = 15 * time.Minute

// Access decides who may do what. The key allows everything. A trusted publisher's job may upload to that publisher's channels for a limited
// time. Everyone may read a channel that is not private.
type Access struct {
	Key        string   // API key; "" for none
	Account    string   // account name of the key's owner; defaults to "owner"
	Private    []string // channels that are visible only with the key, or with a token minted for one of their publishers
	Publishers []Publisher

	IDTokens  IDTokens         // verifies the ID tokens of jobs; nil rejects all
	Audiences []string         // accepted audiences; clients request the server's host name
	For       time.Duration    // lifetime of a minted token; defaults to mintedFor
	Now       func() time.Time // defaults to time.Now

	mu     sync.Mutex
	grants map[string]grant // by token
}

// IDTokens verifies ID tokens. *oidc.Verifier implements it.
type IDTokens interface {
	Verify(ctx context.Context, token string, audiences []string) (claims map[string]any, err error)
}

// grant records what a minted token allows.
type grant struct {
	channels  []string
	publisher Publisher // a publisher that the job matched
	until     time.Time
}

// Authorize implements Authorizer.
func (a *Access) Authorize(_ context.Context, token string, action Action, name string) error {
	if a.owner(token) {
		return nil
	}
	granted, known := a.grant(token)
	mine := known && slices.Contains(granted.channels, name)
	switch {
	case action == Read && (mine || !slices.Contains(a.Private, name)):
		return nil
	case action == Read:
		return channel.Errorf(channel.ErrNotFound, "there is no channel %.120q", name) // same error as for a missing channel
	case token == "":
		return channel.Errorf(channel.ErrUnauthorized, "no token was sent; this request needs the header Authorization: Bearer TOKEN")
	case !known:
		return channel.Errorf(channel.ErrUnauthorized, "the token is unknown or has expired")
	case !mine:
		return channel.Errorf(channel.ErrForbidden, "the token is for %s, not for the channel %.120q", strings.Join(granted.channels, ", "), name)
	case action != Write:
		return channel.Errorf(channel.ErrForbidden, "a trusted publisher may only upload")
	}
	return nil
}

func (a *Access) owner(token string) bool {
	return a.Key != "" && subtle.ConstantTimeCompare([]byte(token), []byte(a.Key)) == 1
}

func (a *Access) grant(token string) (grant, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, ok := a.grants[token]
	return g, ok && a.now().Before(g.until)
}

func (a *Access) now() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}

// Login returns the account of the token's owner. It returns false if the token is not the key.
func (a *Access) Login(token string) (string, bool) {
	if !a.owner(token) {
		return "", false
	}
	if a.Account == "" {
		return "owner", true
	}
	return a.Account, true
}

// Repository returns the repository whose job the token was minted for. It returns false if this is not a valid minted token.
func (a *Access) Repository(token string) (string, bool) {
	g, ok := a.grant(token)
	return g.publisher.Repository, ok
}

// Mint exchanges a job's ID token for a token of this server. Errors: ErrUnauthorized if the ID token is invalid, ErrForbidden if no channel
// trusts the job.
func (a *Access) Mint(ctx context.Context, id string) (string, error) {
	if a.IDTokens == nil {
		return "", channel.Errorf(channel.ErrForbidden, "this server has no trusted publishers")
	}
	claims, err := a.IDTokens.Verify(ctx, id, a.Audiences)
	if err != nil {
		return "", channel.Errorf(channel.ErrUnauthorized, "the ID token is refused: %v", err)
	}
	g := grant{until: a.now().Add(mintedFor)}
	if a.For != 0 {
		g.until = a.now().Add(a.For)
	}
	for _, p := range a.Publishers {
		if p.trusts(claims) {
			g.channels, g.publisher = append(g.channels, p.Channel), p
		}
	}
	if len(g.channels) == 0 {
		return "", channel.Errorf(channel.ErrForbidden, "no channel trusts %s", describe(claims))
	}
	token := "pfx-jwt." + rand.Text() + rand.Text()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.grants == nil {
		a.grants = map[string]grant{}
	}
	for t, old := range a.grants {
		if !a.now().Before(old.until) {
			delete(a.grants, t)
		}
	}
	a.grants[token] = g
	return token, nil
}

// Publisher is a workflow that may publish to a channel.
type Publisher struct {
	Channel     string
	Issuer      string // the ID token's issuer
	Repository  string // "owner/name", or the path of a GitLab project
	Workflow    string // file name, such as "release.yml", or the path of the GitLab CI file; "" for any
	Environment string // "" for any
}

// trusts reports whether a CI's claims about a job match the publisher.
func (p Publisher) trusts(claims map[string]any) bool {
	repository, workflow := originOf(claims)
	return text(claims, "iss") == p.Issuer && strings.EqualFold(repository, p.Repository) && p.Repository != "" &&
		(p.Workflow == "" || p.Workflow == workflow) && (p.Environment == "" || p.Environment == text(claims, "environment"))
}

// originOf returns a job's repository and workflow file, from GitHub's or GitLab's claims. On GitHub, the file is the workflow that was
// triggered, not a reusable workflow that it calls.
func originOf(claims map[string]any) (repository, workflow string) {
	if project := text(claims, "project_path"); project != "" {
		_, rest, _ := strings.Cut(text(claims, "ci_config_ref_uri"), "//")
		file, _, _ := strings.Cut(rest, "@")
		return project, file
	}
	repository = text(claims, "repository")
	file, _, _ := strings.Cut(text(claims, "workflow_ref"), "@")
	workflow, _ = strings.CutPrefix(file, repository+"/.github/workflows/")
	return repository, workflow
}

func text(claims map[string]any, key string) string {
	s, _ := claims[key].(string)
	return s
}

// describe describes a job for the user who must register it as a publisher.
func describe(claims map[string]any) string {
	repository, workflow := originOf(claims)
	said := fmt.Sprintf("the repository %.100q with the workflow %.100q", repository, workflow)
	if e := text(claims, "environment"); e != "" {
		said += fmt.Sprintf(" in the environment %.60q", e)
	}
	return said
}
