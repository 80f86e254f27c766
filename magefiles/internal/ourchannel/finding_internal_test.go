package ourchannel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Advice about a server is about that one, and never to look whether it can be reached: that was done.
func TestAdviceIsAboutTheServer(t *testing.T) {
	for server, says := range map[string]string{
		"https://prefix.dev":                 "HTTPS_PROXY names a proxy",
		"http://127.0.0.1:8000":              "start it by `mage channel:serve`",
		"http://[::1]:8000":                  "start it by `mage channel:serve`",
		"http://localhost:8000":              "start it by `mage channel:serve`",
		"https://conda.example/x":            "correct PREFIX_SERVER_URL",
		"http://127.0.0.1.evil.example:8000": "correct PREFIX_SERVER_URL",
	} {
		require.Contains(t, toReach(server), says, server)
		require.NotContains(t, toReach(server), "can be reached")
	}
}
