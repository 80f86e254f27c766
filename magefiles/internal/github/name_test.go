package github_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
)

// NameOf returns a repository name that GitHub accepts, whatever the workspace's name.
func TestNameOf(t *testing.T) {
	for name, want := range map[string]string{"acme": "acme", "": "workspace", ".": "workspace", "..": "workspace", "日本": "--", "a b/c": "a-b-c"} {
		require.Equal(t, want, server.NameOf(name), name)
		require.NoError(t, github.CheckRepository("rehearsal/"+server.NameOf(name)))
	}
}
