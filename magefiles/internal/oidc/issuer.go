package oidc

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// lifetime is how long an ID token of the embedded issuer is good for, as GitHub's are.
const lifetime = 5 * time.Minute

// Issuer plays the token service of a CI: it hands a job ID tokens, and publishes the keys by which they are checked.
//
//	GET /token?audience=…                   with the job's own token; answers {"value": …}, as GitHub's service does
//	GET /.well-known/openid-configuration
//	GET /.well-known/jwks
type Issuer struct {
	URL    string           // of the issuer, as it stands in its tokens; to be set before it is used
	Claims map[string]any   // what its tokens say of the job
	Now    func() time.Time // nil is the clock

	requestToken string
	key          jose.JSONWebKey

	mu   sync.Mutex
	jobs map[string]map[string]any // by the tokens of jobs: what their ID tokens say in place of Claims
}

// NewIssuer makes an issuer with a key of its own, whose tokens make the claims given.
func NewIssuer(claims map[string]any) (*Issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return &Issuer{
		Claims:       claims,
		requestToken: rand.Text(),
		key:          jose.JSONWebKey{Key: key, KeyID: rand.Text(), Algorithm: string(jose.RS256), Use: "sig"},
	}, nil
}

// GitHubClaims are what GitHub says of a job that runs a workflow for a tag (docs.github.com, OpenID Connect reference).
func GitHubClaims(repository, workflow, ref, environment string) map[string]any {
	owner, _, _ := strings.Cut(repository, "/")
	subject := "repo:" + repository + ":ref:" + ref
	claims := map[string]any{
		"repository": repository, "repository_owner": owner, "repository_visibility": "public", "ref": ref,
		"workflow": workflow, "workflow_ref": repository + "/.github/workflows/" + workflow + "@" + ref,
		"job_workflow_ref":   repository + "/.github/workflows/" + workflow + "@" + ref,
		"runner_environment": "github-hosted", "event_name": "push", "run_id": "1", "run_attempt": "1",
	}
	if environment != "" {
		subject = "repo:" + repository + ":environment:" + environment
		claims["environment"] = environment
	}
	claims["sub"] = subject
	return claims
}

// Immutable gives claims of GitHubClaims the subject that repositories have which were made since July 2026: with the ids of owner and repository, which
// outlast a change of their names.
func Immutable(claims map[string]any, ownerID, repositoryID string) map[string]any {
	owner, name, _ := strings.Cut(fmt.Sprint(claims["repository"]), "/")
	rest := strings.TrimPrefix(fmt.Sprint(claims["sub"]), "repo:"+owner+"/"+name)
	claims["sub"] = "repo:" + owner + "@" + ownerID + "/" + name + "@" + repositoryID + rest
	claims["repository_owner_id"], claims["repository_id"] = ownerID, repositoryID
	return claims
}

// Environ are the variables that a job on GitHub's runners finds, as KEY=value. They hold a secret.
func (i *Issuer) Environ() []string {
	return []string{"GITHUB_ACTIONS=true", requestURL + "=" + i.URL + "/token?api-version=2.0", requestToken + "=" + i.requestToken}
}

// Job is Environ for a job of its own, of which claims stand in place of the issuer's.
func (i *Issuer) Job(claims map[string]any) []string {
	token := rand.Text()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.jobs == nil {
		i.jobs = map[string]map[string]any{}
	}
	i.jobs[token] = claims
	return []string{"GITHUB_ACTIONS=true", requestURL + "=" + i.URL + "/token?api-version=2.0", requestToken + "=" + token}
}

// End ends a job by its own token, as GitHub does when its steps are through: what the job left behind gets no ID token any more.
func (i *Issuer) End(token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.jobs, token)
}

// of is what the tokens of a job say, by the job's own token; false where there is no such job.
func (i *Issuer) of(token string) (claims map[string]any, known bool) {
	if subtle.ConstantTimeCompare([]byte(token), []byte(i.requestToken)) == 1 {
		return i.Claims, true
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	claims, known = i.jobs[token]
	return claims, known
}

// Sign makes an ID token for an audience; further claims stand in place of the issuer's own.
func (i *Issuer) Sign(audience string, further map[string]any) (string, error) {
	return i.sign(audience, i.Claims, further)
}

func (i *Issuer) sign(audience string, of, further map[string]any) (string, error) {
	now := time.Now()
	if i.Now != nil {
		now = i.Now()
	}
	claims := map[string]any{
		"iss": i.URL, "aud": audience, "iat": now.Unix(), "nbf": now.Add(-lifetime).Unix(), "exp": now.Add(lifetime).Unix(), "jti": rand.Text(),
	}
	maps.Copy(claims, of)
	maps.Copy(claims, further)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: i.key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// ServeHTTP implements http.Handler.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && (r.Method != http.MethodPost || r.URL.Path != "/token") { // the curl of GitHub's documentation has a body
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		reply(w, map[string]any{
			"issuer": i.URL, "jwks_uri": i.URL + "/.well-known/jwks", "response_types_supported": []string{"id_token"},
			"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	case "/.well-known/jwks":
		reply(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.key.Public()}})
	case "/token":
		i.token(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	claims, known := i.of(strings.TrimSpace(given))
	if !known || !strings.EqualFold(scheme, "Bearer") { // many workflow files of others write bearer
		http.Error(w, "the job's token is not known", http.StatusUnauthorized)
		return
	}
	audience := r.URL.Query().Get("audience")
	if audience == "" {
		audience = "https://github.com"
	}
	token, err := i.sign(audience, claims, nil)
	if err != nil {
		http.Error(w, "no token could be made", http.StatusInternalServerError)
		return
	}
	reply(w, map[string]any{"value": token, "count": len(token)})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // a caller that goes away is told nothing
}
