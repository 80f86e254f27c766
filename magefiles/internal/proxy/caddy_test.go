package proxy_test

import (
	"testing"

	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

// The real Caddy, on loopback.
func TestCaddy(t *testing.T) { proxytest.Run(t, proxytest.Caddy) }
