package localprefix_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// A page on a foreign host name that resolves to this server (DNS rebinding) cannot access the channels or the token service.
func TestHostileNames(t *testing.T) {
	s, err := localprefix.Start(localprefix.Options{Dir: t.TempDir(), Trusted: []localprefix.Trusted{{Channel: "demo", Repository: "octo/tools"}}})
	require.NoError(t, err)
	defer s.Close()
	ask := func(path, host string) int {
		r, err := http.NewRequest(http.MethodGet, s.URL+path, nil)
		require.NoError(t, err)
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		return answer.StatusCode
	}
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, path := range []string{"/demo/noarch/repodata.json", "/.oidc/token", "/.oidc/.well-known/jwks", "/api/oidc/mint_token"} {
		for _, host := range []string{"evil.example", "evil.example" + port, "127.0.0.1.nip.example" + port} {
			require.Equal(t, http.StatusMisdirectedRequest, ask(path, host), path)
		}
		for _, host := range []string{"localhost" + port, "127.0.0.1" + port, "localhost"} {
			require.NotEqual(t, http.StatusMisdirectedRequest, ask(path, host), path)
		}
	}
}

// A folder that is not a channel store is not served, and not changed.
func TestHostileFolder(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o644))
	_, err := localprefix.Start(localprefix.Options{Dir: dir})
	require.ErrorContains(t, err, "neither empty nor a folder of channels")
	require.NotEmpty(t, operr.NextOf(err))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
}
