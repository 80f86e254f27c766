package uv

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestHostileSourceDistributions checks which credentials uv gets, because it builds source distributions during installation. uv gets the
// credentials for fetching packages. It does not get keys for conda channels, because uv does not need them, and a requirement in a pull request
// could read them during its build.
func TestHostileSourceDistributions(t *testing.T) {
	i := New(Config{Environ: []string{
		"PATH=/bin", "RATTLER_AUTH_FILE=/keys", "PREFIX_API_KEY=secret", "GITHUB_TOKEN=secret", "UV_INDEX_OURS_PASSWORD=reads", "PIP_INDEX_URL=https://me:reads@index.example/simple",
	}})
	_, has := command.Getenv(i.listToolEnviron(), "RATTLER_AUTH_FILE")
	require.False(t, has)
	require.NotContains(t, i.listToolEnviron(), "PREFIX_API_KEY=secret")
	require.NotContains(t, i.listToolEnviron(), "GITHUB_TOKEN=secret")
	require.Contains(t, i.listToolEnviron(), "UV_INDEX_OURS_PASSWORD=reads")
	require.Contains(t, i.listToolEnviron(), "PIP_INDEX_URL=https://me:reads@index.example/simple")
	require.Equal(t, []string{"PATH=/bin", "UV_PYTHON_DOWNLOADS=never"}, i.Environ(), "programs that replace conda packages")
}
