package workspace_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// A stand-in is "nothing" or the folder of an action in the repository.
func TestActions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line string
		want map[string]string // nil if the table is rejected
	}{
		{`"somebody/notify" = "nothing"`, map[string]string{"somebody/notify": "nothing"}},
		{`"somebody/tools/sign" = "./.github/actions/sign"`, map[string]string{"somebody/tools/sign": "./.github/actions/sign"}},
		{`"somebody/notify@v1" = "nothing"`, nil},
		{`notify = "nothing"`, nil},
		{`"somebody/notify" = "nothin"`, nil},
		{`"somebody/notify" = "../elsewhere/action"`, nil},
		{`"somebody/notify" = "/etc/action"`, nil},
		{`"somebody/notify" = true`, nil},
	} {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text := "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\n[tool.release.actions]\n" + c.line + "\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, "pixi.toml"), []byte(text), 0o644))
			w, err := workspace.Load(dir)
			if c.want == nil {
				require.ErrorContains(t, err, "pixi.toml:6:")
				require.Contains(t, fmt.Sprintf("%+v", err), "\n→ ")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, w.Config.Actions)
		})
	}
}
