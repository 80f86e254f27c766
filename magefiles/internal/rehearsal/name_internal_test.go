package rehearsal

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/github"
)

// Whatever a workspace is called, its repository has a name that GitHub takes.
func TestRepositoryName(t *testing.T) {
	for name, want := range map[string]string{"acme": "acme", "": "workspace", ".": "workspace", "..": "workspace", "日本": "--", "a b/c": "a-b-c"} {
		require.Equal(t, want, repositoryName(name), name)
		require.NoError(t, github.CheckRepository("rehearsal/"+repositoryName(name)))
	}
}
