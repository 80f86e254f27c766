package gitremote_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// An error caused by a certificate or a proxy has a matching next step. Only a refusal by a proxy is transient.
func TestCertificatesAndProxies(t *testing.T) {
	t.Parallel()
	dir, run := gitrepotest.New(t)
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	t.Cleanup(tls.Close)
	status := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(proxy.Close)
	for _, c := range []struct {
		name, remote, proxy string
		status              int
		next                string
		passes              bool
	}{
		{"a certificate", tls.URL + "/r.git", "", 0, "GIT_SSL_CAINFO", false},
		{"a proxy that asks", "https://git.example/r.git", proxy.URL, 407, "NAME:PASSWORD", false},
		{"a proxy that refuses", "https://git.example/r.git", proxy.URL, 403, "NO_PROXY", true},
	} {
		status = c.status
		gitrepotest.Git(t, run, dir, "config", "remote.origin.url", c.remote)
		gitrepotest.Git(t, run, dir, "config", "http.proxy", c.proxy)
		repo, err := gitrepo.Open(t.Context(), gitrepotest.With(run, "NO_PROXY=", "no_proxy="), dir)
		require.NoError(t, err)
		_, err = gitremote.Read(t.Context(), repo, "origin")
		require.Error(t, err, c.name)
		require.Contains(t, operr.NextOf(err), c.next, "%s: %s", c.name, operr.DetailOf(err))
		require.NotEmpty(t, operr.DetailOf(err), "git's own words")
		require.Equal(t, c.passes, gitremote.Transient(err), "%s: %s", c.name, operr.DetailOf(err))
	}
}
