package server_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/server"
)

// idTokens accepts one ID token.
type idTokens struct{}

func (idTokens) Verify(_ context.Context, token string, audiences []string) (map[string]any, error) {
	if token != "good" || len(audiences) != 1 {
		return nil, errors.New("it is not good")
	}
	return map[string]any{
		"iss": "https://issuer.example", "repository": "octo/tools", "workflow_ref": "octo/tools/.github/workflows/release.yml@refs/tags/v1",
	}, nil
}

func TestAccountsOverHTTP(t *testing.T) {
	access := &server.Access{
		Key:       key,
		Private:   []string{"hidden"},
		Audiences: []string{"here"},
		IDTokens:  idTokens{},
		Publishers: []server.Publisher{
			{Channel: "demo", Issuer: "https://issuer.example", Repository: "octo/tools", Workflow: "release.yml"},
		},
	}
	s := start(t, server.Options{Authorize: access.Authorize, Accounts: access})
	post := func(path, token, body string) request {
		return request{"POST", path, http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}, []byte(body)}
	}
	for name, c := range map[string]struct {
		request request
		status  int
		says    string
	}{
		"no JSON":                   {post("/api/oidc/mint_token", "", "{"), 400, `{"token": "…"}`},
		"no token":                  {post("/api/oidc/mint_token", "", "{}"), 400, `{"token": "…"}`},
		"a bad token":               {post("/api/oidc/mint_token", "", `{"token":"bad"}`), 401, "is refused: it is not good"},
		"mint by GET":               {request{method: "GET", target: "/api/oidc/mint_token"}, 405, "not allowed for this path"},
		"login":                     {post("/api/graphql", key, `{"query":"query { viewer { login } }"}`), 200, `{"data":{"viewer":{"login":"owner"}}}`},
		"spaced":                    {post("/api/graphql", key, `{"query":"query {\n viewer {\n login\n }\n}"}`), 200, "owner"},
		"an unknown token":          {post("/api/graphql", "x", `{"query":"query { viewer { login } }"}`), 200, `{"data":{"viewer":null}}`},
		"another query":             {post("/api/graphql", key, `{"query":"{ channels { name } }"}`), 400, "supported query"},
		"no query":                  {post("/api/graphql", key, "x"), 400, "must be"},
		"reindex a missing channel": {post("/api/v1/reindex/demo/noarch", key, ""), 404, "no channel"},
		"reindex a hidden channel":  {post("/api/v1/reindex/hidden/noarch", "x", ""), 401, "is unknown"},
		"hidden":                    {request{method: "GET", target: "/hidden/noarch/repodata.json"}, 404, "no channel"},
	} {
		r := s.do(c.request)
		said := text(t, r)
		require.Equal(t, c.status, r.StatusCode, "%s: %s", name, said)
		require.Contains(t, said, c.says, name)
	}

	r := s.do(post("/api/oidc/mint_token", "", `{"token":"good"}`))
	require.Equal(t, 200, r.StatusCode)
	token := text(t, r)
	require.Regexp(t, `^pfx-jwt\.[A-Z2-7]+$`, token, "the body is only the token, because clients put the whole body into a header")
	upload := form(filePart(demo.FileName(), demo.Bytes(t)))
	upload.header.Set("Authorization", "Bearer "+token)
	require.Equal(t, 201, s.do(upload).StatusCode)
	upload.target = "/api/v1/upload/other"
	r = s.do(upload)
	require.Equal(t, 403, r.StatusCode)
	require.Contains(t, text(t, r), "the token is for demo")
	r = s.do(request{"DELETE", "/api/v1/delete/demo/noarch/" + demo.FileName(), http.Header{"Authorization": {"Bearer " + token}}, nil})
	require.Equal(t, 403, r.StatusCode)
	require.Equal(t, 200, s.do(post("/api/v1/reindex/demo/noarch", key, "")).StatusCode)
}
