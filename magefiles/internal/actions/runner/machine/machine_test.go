package machine_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/runner/machine"
)

func TestPython(t *testing.T) {
	home := t.TempDir()
	for _, dir := range []string{".pyenv/versions/3.13.0/bin/python3.13", ".pyenv/versions/3.13.1/bin/python3.13", ".pyenv/versions/3.1.9/bin/python3.1", ".local/share/uv/python/cpython-3.12.4-linux/bin/python3.12"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(home, dir)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(home, dir), nil, 0o755))
	}
	for version, want := range map[string]string{
		"3.13":     ".pyenv/versions/3.13.1/bin/python3.13",
		"3.13.0":   ".pyenv/versions/3.13.0/bin/python3.13",
		"3.1":      ".pyenv/versions/3.1.9/bin/python3.1",
		"3.12":     ".local/share/uv/python/cpython-3.12.4-linux/bin/python3.12",
		"3.14":     "",
		">=3.11":   "",
		"pypy3.10": "",
		"":         "",
	} {
		got := machine.Python([]string{"HOME=" + home, "PATH="}, version)
		if want != "" {
			want = filepath.Join(home, want)
		}
		require.Equal(t, want, got, version)
	}
}

// A job gets no credential, and what it gets is named.
func TestEnviron(t *testing.T) {
	home := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(home, ".cache", "go-build"), 0o755))
	got := machine.Environ([]string{"HOME=" + home, "PATH=/mine", "MINE=1", "GITHUB_TOKEN=secret", "HTTPS_PROXY=http://proxy"})
	require.Equal(t, []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GOFLAGS=-modcacherw -trimpath", "HTTPS_PROXY=http://proxy",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_SSH_COMMAND=ssh -F /dev/null -o IdentityAgent=none -o IdentityFile=/dev/null -o BatchMode=yes",
		"XDG_CACHE_HOME=" + home + "/.cache", "GOCACHE=" + home + "/.cache/go-build",
	}, got)
}

func TestSecrets(t *testing.T) {
	text := func(value string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("on: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: x, env: {V: \"" + value + "\"}}]}}\n")}
	}
	got, err := machine.Secrets(fstest.MapFS{
		".github/workflows/a.yml":  text("${{ secrets.One }} ${{ secrets['TWO-2'] }}"),
		".github/workflows/b.yaml": text("${{ Secrets.THREE }} and secrets.NONE"),
		".github/workflows/d.yml":  {Data: []byte("on: [")},
		"c.yml":                    text("${{ secrets.FOUR }}"),
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"ONE": "stand-in-for-one", "TWO-2": "stand-in-for-two-2", "THREE": "stand-in-for-three"}, got)
}
