package e2e_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/minichannel"
	"github.com/foopack/foopack/magefiles/internal/pythontest"
	"github.com/foopack/foopack/magefiles/internal/rattlertest"
)

// TestFoopackIsSolvedAndInstalled builds the real packages and uploads them to the embedded prefix.dev. py-rattler solves and installs two of them
// from that channel and a small conda-forge; the third is pulled in as a dependency. The environment can import all three.
func TestFoopackIsSolvedAndInstalled(t *testing.T) {
	t.Parallel()
	root := copyOfOurs(t)
	build := exec.Command(filepath.Join(compiled, "targets"), "build:all")
	build.Dir, build.Env = root, append(os.Environ(), "PIPELINE_TOOLCHAIN=embedded", "SOURCE_DATE_EPOCH=1767323046")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	s, err := store.Open(t.TempDir())
	require.NoError(t, err)
	defer s.Close()
	web := httptest.NewServer(server.New(s, server.Options{Authorize: channeltest.APIKey("pfx_test"), Spool: s.Incoming()}))
	defer web.Close()
	client, err := prefixdev.New(prefixdev.Options{Server: web.URL, Token: "pfx_test"})
	require.NoError(t, err)
	foopack, err := client.Channel("foopack")
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(root, "output", "*.conda"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, f := range files {
		u, err := channel.NewUpload(f)
		require.NoError(t, err)
		_, err = foopack.Put(t.Context(), u)
		require.NoError(t, err)
	}

	python := rattlertest.SolveInstall(t, []string{foopack.URL(), minichannel.Start(t)}, []string{"foopack-ui ==0.1.0", "foopack-extras ==0.1.0"})
	pythontest.MustRun(t, python, `
import foopack_core, foopack_extras, foopack_ui
assert [m.__version__ for m in (foopack_core, foopack_extras, foopack_ui)] == ["0.1.0"] * 3
print(foopack_core.hello(), foopack_extras.hello_extras(), foopack_ui.hello_ui())
`, nil)
}

// copyOfOurs copies the files of this repository that pixi and the targets read, but no files that tools generate there.
func copyOfOurs(t testing.TB) string {
	root := t.TempDir()
	files := exec.Command("git", "-C", repo, "ls-files", "-z", "--", "pixi.toml", ".ruff.toml", "mypy.ini", ".github/workflows/publish-app.yml", "packages", "app", "containers")
	list, err := files.Output()
	require.NoError(t, err)
	for _, name := range strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(repo, name))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), data, 0o644))
	}
	return root
}
