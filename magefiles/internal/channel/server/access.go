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

// mintedFor is how long a minted token is good for, unless an Access says otherwise.
const mintedFor = 15 * time.Minute

// Access decides who may do what: the bearer of the key may do everything, a job that a trusted publisher runs may upload
// to that publisher's channels for a while, and everyone may read what is not private.
type Access struct {
	Key        string   // "" lets no one in by a key
	Account    string   // the name that the key's owner has; "" is "owner"
	Private    []string // channels that only the key, and jobs of their publishers, can read or know of
	Publishers []Publisher

	IDTokens  IDTokens         // checks the ID tokens of jobs; nil takes none
	Audiences []string         // who ID tokens may be for; the host name of the server, as clients ask for it
	For       time.Duration    // how long a minted token is good for
	Now       func() time.Time // nil is the clock

	mu     sync.Mutex
	grants map[string]grant // by token
}

// IDTokens checks ID tokens. An oidc.Verifier does.
type IDTokens interface {
	Verify(ctx context.Context, token string, audiences []string) (claims map[string]any, err error)
}

// grant is what a minted token is good for.
type grant struct {
	channels  []string
	publisher Publisher // that it was minted for
	until     time.Time
}

// Authorize is an Authorizer.
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
		return channel.Errorf(channel.ErrNotFound, "there is no channel %.120q", name) // as for one that is not there
	case token == "":
		return channel.Errorf(channel.ErrUnauthorized, "this needs a token: Authorization: Bearer …")
	case !known:
		return channel.Errorf(channel.ErrUnauthorized, "the token is not known here")
	case !mine:
		return channel.Errorf(channel.ErrForbidden, "the token is for %s, and not for the channel %.120q", strings.Join(granted.channels, ", "), name)
	case action != Write:
		return channel.Errorf(channel.ErrForbidden, "a trusted publisher may upload, and nothing else")
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

// Login is the name of the token's owner, or false.
func (a *Access) Login(token string) (string, bool) {
	if !a.owner(token) {
		return "", false
	}
	if a.Account == "" {
		return "owner", true
	}
	return a.Account, true
}

// Repository is the one whose job a token was minted for, or false.
func (a *Access) Repository(token string) (string, bool) {
	g, ok := a.grant(token)
	return g.publisher.Repository, ok
}

// Mint exchanges the ID token of a job for a token of ours. Errors: ErrUnauthorized for an ID token that does not hold,
// ErrForbidden where it holds and no channel trusts the job.
func (a *Access) Mint(ctx context.Context, id string) (string, error) {
	if a.IDTokens == nil {
		return "", channel.Errorf(channel.ErrForbidden, "no trusted publisher is registered here")
	}
	claims, err := a.IDTokens.Verify(ctx, id, a.Audiences)
	if err != nil {
		return "", channel.Errorf(channel.ErrUnauthorized, "the ID token does not hold: %v", err)
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

// Publisher is a workflow that a channel trusts.
type Publisher struct {
	Channel     string
	Issuer      string // of the ID token
	Repository  string // "owner/name", or the path of a GitLab project
	Workflow    string // file name, such as "release.yml", or the path of GitLab's file; "" is any
	Environment string // "" is any
}

// trusts compares the publisher with what a CI says of a job.
func (p Publisher) trusts(claims map[string]any) bool {
	repository, workflow := originOf(claims)
	return text(claims, "iss") == p.Issuer && strings.EqualFold(repository, p.Repository) && p.Repository != "" &&
		(p.Workflow == "" || p.Workflow == workflow) && (p.Environment == "" || p.Environment == text(claims, "environment"))
}

// originOf is the repository of a job and the file that it runs, of GitHub's claims or GitLab's. GitHub's file is the one
// that was started, and not one that it calls.
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

// describe names a job for the one who has to register it.
func describe(claims map[string]any) string {
	repository, workflow := originOf(claims)
	said := fmt.Sprintf("the repository %.100q with the workflow %.100q", repository, workflow)
	if e := text(claims, "environment"); e != "" {
		said += fmt.Sprintf(" in the environment %.60q", e)
	}
	return said
}
