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

// lifetime is the lifetime of the embedded issuer's ID tokens. GitHub uses the same value.
const lifetime = 5 * time.Minute

// Issuer is a CI token service for tests and rehearsals. It issues ID tokens to jobs and publishes the keys that verify them.
//
//	GET /token?audience=…                   authorized by the job's own token; returns {"value": …}, like GitHub's service
//	GET /.well-known/openid-configuration
//	GET /.well-known/jwks
type Issuer struct {
	URL    string           // the issuer's URL, as in its tokens; must be set before the issuer is used
	Claims map[string]any   // claims about the job in every token, unless Job overrides them
	Now    func() time.Time // defaults to time.Now

	requestToken string
	key          jose.JSONWebKey

	mu   sync.Mutex
	jobs map[string]map[string]any // claims that replace Claims, by the token of a job from Job
}

// NewIssuer returns an issuer with a new key. Its tokens contain the given claims.
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

// GitHubClaims returns the claims that GitHub makes about a job that runs a workflow for a tag (docs.github.com, OpenID Connect reference).
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

// Immutable changes the subject of GitHubClaims to the form that GitHub uses for repositories created since July 2026. That form contains the IDs
// of the owner and the repository, which do not change when either is renamed.
func Immutable(claims map[string]any, ownerID, repositoryID string) map[string]any {
	owner, name, _ := strings.Cut(fmt.Sprint(claims["repository"]), "/")
	rest := strings.TrimPrefix(fmt.Sprint(claims["sub"]), "repo:"+owner+"/"+name)
	claims["sub"] = "repo:" + owner + "@" + ownerID + "/" + name + "@" + repositoryID + rest
	claims["repository_owner_id"], claims["repository_id"] = ownerID, repositoryID
	return claims
}

// Environ returns the environment variables that GitHub's runner sets for a job, as KEY=value. They contain a secret.
func (i *Issuer) Environ() []string {
	return []string{"GITHUB_ACTIONS=true", requestURL + "=" + i.URL + "/token?api-version=2.0", requestToken + "=" + i.requestToken}
}

// Job is like Environ, but for a separate job whose ID tokens contain these claims instead of the issuer's.
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

// End ends the job with this token, as GitHub does after the last step. Processes that the job left running can no longer get an ID token.
func (i *Issuer) End(token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.jobs, token)
}

// `claimsOf` returns the claims for the job with this token. It returns false if there is no such job.
func (i *Issuer) claimsOf(token string) (claims map[string]any, known bool) {
	if subtle.ConstantTimeCompare([]byte(token), []byte(i.requestToken)) == 1 {
		return i.Claims, true
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	claims, known = i.jobs[token]
	return claims, known
}

// Sign returns a signed ID token for an audience. The claims in the `further` parameter override the issuer's.
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
	if r.Method != http.MethodGet && (r.Method != http.MethodPost || r.URL.Path != "/token") { // curl in GitHub's documentation sends a POST
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
	claims, known := i.claimsOf(strings.TrimSpace(given))
	if !known || !strings.EqualFold(scheme, "Bearer") { // many workflow files write "bearer" in lower case
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
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has disconnected
}
