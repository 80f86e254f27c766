package localproxy_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/localproxy"
	"github.com/foopack/foopack/magefiles/internal/proxy"
	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

// The stand-in passes the real Caddy's tests.
func TestPassesCaddysTests(t *testing.T) {
	proxytest.Run(t, func(t testing.TB, _ proxy.Places, config string) func(testing.TB, string) {
		var d net.Dialer
		s := &localproxy.Server{
			Listen: func(address string) (net.Listener, error) { return net.Listen("tcp", address) },
			Dial:   d.DialContext,
			Path:   func(path string) string { return path },
		}
		require.NoError(t, s.Load([]byte(config)))
		t.Cleanup(s.Close)
		return func(t testing.TB, config string) {
			t.Helper()
			require.NoError(t, s.Load([]byte(config)))
		}
	})
}

func TestUnknownConfigurationIsRefused(t *testing.T) {
	s := &localproxy.Server{}
	require.ErrorContains(t, s.Load([]byte(`{"apps": {"tls": {}}}`)), "does not support")
}
