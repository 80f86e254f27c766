package workflows

import (
	"context"
	"crypto/rand"
	"maps"
	"path"
	"strconv"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/oidc"
)

// granting gives each job of a run the permissions that the file grants, until the job ends.
type granting struct {
	*CI
	run int64

	mu     sync.Mutex
	tokens []string // tokens of apps
}

// token returns the GITHUB_TOKEN of a job.
func (g *granting) token(of runner.Asked) (string, error) {
	token := "ghs_" + rand.Text()
	g.Grant(token, maps.Clone(of.Grant))
	return token, nil
}

// appToken returns the token of a GitHub App, which is valid for the rest of the run.
func (g *granting) appToken(rights map[string]string) (string, error) {
	token := "ghs_" + rand.Text()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tokens = append(g.tokens, token)
	g.Apps(token, rights)
	return token, nil
}

// end revokes the tokens of apps, which outlast a job.
func (g *granting) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.tokens {
		g.Revoke(t)
	}
}

// ownerID and repositoryID are the ids of the owner and the repository in ID tokens.
const ownerID, repositoryID = "123", "456"

// idToken returns how a job requests an ID token. It is only called for jobs that may have one.
func (g *granting) idToken(of runner.Asked) (url, token string, err error) {
	claims := oidc.GitHubClaims(g.Repository, path.Base(of.Workflow), of.Event.Ref, of.Environment)
	claims["event_name"], claims["sha"] = of.Event.Name, of.Event.SHA
	claims["run_id"], claims["run_attempt"] = strconv.FormatInt(g.run, 10), strconv.Itoa(max(of.Event.Attempt, 1))
	env := g.Job(oidc.Immutable(claims, ownerID, repositoryID))
	url, _ = command.Getenv(env, "ACTIONS_ID_TOKEN_REQUEST_URL")
	token, _ = command.Getenv(env, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	return url, token, nil
}

func (g *granting) approve(ctx context.Context, environment string) error {
	return g.CI.Approve(ctx, g.run, environment)
}
