package targets

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/view"
)

// TestHostileBackendsGetNoUploadKey withholds from pixi, which runs build backends, a file with a key that is known to upload. A key that may only
// read, as far as we know, is passed.
func TestHostileBackendsGetNoUploadKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"*.example.org": {"BearerToken": "pfx_key_of_the_file"}}`), 0o600))
	for _, name := range []string{"GITHUB_ACTIONS", "GITLAB_CI", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("RATTLER_AUTH_FILE", file)
	for name, c := range map[string]struct {
		server, key string
		uploads     bool
		kept        bool
	}{
		"it uploads":                 {server: "https://conda.example.org", uploads: true, kept: true},
		"nothing is uploaded":        {server: "https://conda.example.org"},
		"another key uploads":        {server: "https://conda.example.org", uploads: true, key: "pfx_another_key"},
		"the same as that":           {server: "https://conda.example.org", uploads: true, key: "pfx_key_of_the_file", kept: true},
		"the same, in another run":   {server: "https://conda.example.org", key: "pfx_key_of_the_file", kept: true},
		"it is for other servers":    {server: "https://prefix.dev", uploads: true},
		"not an address of a server": {server: ":", uploads: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PREFIX_SERVER_URL", c.server)
			t.Setenv("PREFIX_API_KEY", c.key)
			var said bytes.Buffer
			a := &pipeline{view: &view.View{Out: &said, Err: &said}, runner: newRunner(), channels: newChannels(), uploads: c.uploads}
			require.Equal(t, c.kept, slices.Contains(a.keptFromPixi(), "RATTLER_AUTH_FILE"))
			require.NotContains(t, said.String(), "pfx_")
		})
	}
}
