package engine_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// A login is sent only to its own registry, and over plain HTTP only if the registry is on the engine's own machine.
func TestLoginIsSentOnlyToItsRegistry(t *testing.T) {
	at := func(host string) string { return host + "team/app@" + localengine.Digest("app") }
	for _, c := range []struct {
		name     string
		registry string // with a trailing slash
		server   string
		insecure []string
		refused  string
	}{
		{name: "its own", registry: "registry.example.org/", server: "registry.example.org"},
		{name: "its own port", registry: "registry.example.org:5000/", server: "registry.example.org:5000"},
		{name: "the hub by its short name", registry: "", server: "index.docker.io"},
		{name: "the hub", registry: "docker.io/", server: "index.docker.io"},
		{name: "loopback without TLS", registry: "127.0.0.1:5000/", server: "127.0.0.1:5000"},
		{name: "loopback by name", registry: "localhost:5000/", server: "localhost:5000", insecure: []string{"localhost:5000"}},
		{name: "IPv6 loopback", registry: "[::1]:5000/", server: "[::1]:5000", insecure: []string{"[::1]:5000"}},
		{name: "another one without TLS", registry: "registry.example.org/", server: "registry.example.org", insecure: []string{"other.example.org", "10.0.0.0/8"}},

		{name: "another registry", registry: "evil.example.org/", server: "registry.example.org", refused: "the login for registry.example.org is not sent to evil.example.org"},
		{name: "another port", registry: "registry.example.org:5000/", server: "registry.example.org", refused: "is not sent to registry.example.org:5000"},
		{name: "the hub's login elsewhere", registry: "evil.example.org/", server: "index.docker.io", refused: "the login for docker.io is not sent to evil.example.org"},
		{name: "a login for nobody", registry: "registry.example.org/", server: "", refused: "is not sent to registry.example.org"},
		{name: "without TLS by name", registry: "registry.example.org/", server: "registry.example.org", insecure: []string{"registry.example.org"}, refused: "without TLS"},
		{name: "without TLS by name and port", registry: "Registry.example.org:80/", server: "registry.example.org:80", insecure: []string{"registry.example.org:80"}, refused: "without TLS"},
		{name: "without TLS by address", registry: "10.1.2.3:5000/", server: "10.1.2.3:5000", insecure: []string{"10.0.0.0/8"}, refused: "without TLS"},
		{name: "all without TLS", registry: "registry.example.org/", server: "registry.example.org", insecure: []string{"0.0.0.0/0"}, refused: "without TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, client := start(t)
			e.Offer(localengine.Image{Ref: at(c.registry)})
			for _, r := range c.insecure {
				e.Insecure(r)
			}
			login := engine.Login{Server: c.server, User: "op", Password: "hush-hush"}
			_, asked := client.Distribution(t.Context(), at(c.registry), login)
			pulled := client.Pull(t.Context(), at(c.registry), login)
			sent := 0
			for _, r := range e.Requests() {
				if r.Header.Get("X-Registry-Auth") != "" {
					sent++
				}
			}
			if c.refused == "" {
				if c.registry != "" { // the stand-in does not support short names
					require.NoError(t, asked)
					require.NoError(t, pulled)
				}
				require.Equal(t, 2, sent)
				return
			}
			for _, err := range []error{asked, pulled} {
				require.ErrorContains(t, err, c.refused)
				require.NotEmpty(t, operr.NextOf(err))
				require.False(t, strings.Contains(err.Error()+operr.DetailOf(err), "hush-hush"))
			}
			require.Zero(t, sent)
		})
	}
}
