package proxy_test

import (
	"testing"

	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

// The test suite with the real Caddy, on loopback.
func TestCaddy(t *testing.T) { proxytest.Run(t, proxytest.Caddy) }
