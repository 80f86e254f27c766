package workspace_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// `include` lists git-ignored files by paths from the root. Paths outside the root are rejected.
func TestInclude(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value string
		want  []string // nil if the list is rejected
	}{
		{`[]`, []string{}},
		{`["a/src/_version.py"]`, []string{"a/src/_version.py"}},
		{`["./a/", "b//c d", "-x", "ü"]`, []string{"a", "b/c d", "-x", "ü"}},
		{`["../x"]`, nil},
		{`["a/../../x"]`, nil},
		{`["/etc/passwd"]`, nil},
		{`["."]`, nil},
		{`[""]`, nil},
		{`["a/*.py"]`, nil},
		{`"a"`, nil},
		{`[1]`, nil},
	} {
		t.Run(c.value, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text := "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\n[tool.release]\ninclude = " + c.value + "\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, "pixi.toml"), []byte(text), 0o644))
			w, err := workspace.Load(dir)
			if c.want == nil {
				require.ErrorContains(t, err, "pixi.toml:6:")
				require.Contains(t, fmt.Sprintf("%+v", err), "\n→ ")
				return
			}
			require.NoError(t, err)
			require.ElementsMatch(t, c.want, w.Config.Include)
		})
	}
}
