package ourchannel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The next step fits the server. It never suggests checking whether the server is reachable.
func TestNextStepFitsTheServer(t *testing.T) {
	for server, says := range map[string]string{
		"https://prefix.dev":                 "set HTTPS_PROXY to your proxy",
		"http://127.0.0.1:8000":              "start the server with `mage channel:serve`",
		"http://[::1]:8000":                  "start the server with `mage channel:serve`",
		"http://localhost:8000":              "start the server with `mage channel:serve`",
		"https://conda.example/x":            "correct PREFIX_SERVER_URL",
		"http://127.0.0.1.evil.example:8000": "correct PREFIX_SERVER_URL",
	} {
		require.Contains(t, unreachableStep(server), says, server)
		require.NotContains(t, unreachableStep(server), "can be reached")
	}
}
