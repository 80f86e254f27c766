package embedded

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestHostileSourceDistributions gives uv, which builds what it is told to install, what it fetches packages by. The keys of conda channels
// are of no use to it, and what a requirement of a pull request builds would see them.
func TestHostileSourceDistributions(t *testing.T) {
	e := New(Config{Environ: []string{
		"PATH=/bin", "RATTLER_AUTH_FILE=/keys", "PREFIX_API_KEY=secret", "GITHUB_TOKEN=secret", "UV_INDEX_OURS_PASSWORD=reads", "PIP_INDEX_URL=https://me:reads@index.example/simple",
	}})
	_, has := command.Getenv(e.toolEnv(), "RATTLER_AUTH_FILE")
	require.False(t, has)
	require.NotContains(t, e.toolEnv(), "PREFIX_API_KEY=secret")
	require.NotContains(t, e.toolEnv(), "GITHUB_TOKEN=secret")
	require.Contains(t, e.toolEnv(), "UV_INDEX_OURS_PASSWORD=reads")
	require.Contains(t, e.toolEnv(), "PIP_INDEX_URL=https://me:reads@index.example/simple")
	require.Equal(t, []string{"PATH=/bin", "UV_PYTHON_DOWNLOADS=never"}, e.without(), "programs that stand for packages")
}
