package machine_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
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

// A job gets no credentials, and only those variables that are on the list.
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

// A secret that is used only by jobs of one environment belongs to that environment.
func TestSecrets(t *testing.T) {
	const on = "on: push\njobs:\n"
	job := func(name, environment, run string) string {
		return "  " + name + ": {runs-on: ubuntu-24.04, environment: \"" + environment + "\", steps: [{run: \"" + run + "\"}]}\n"
	}
	repository, environments, err := machine.Secrets(fstest.MapFS{
		".github/workflows/a.yml":  {Data: []byte(on + job("a", "", "${{ secrets.One }} ${{ secrets['TWO'] }}"))},
		".github/workflows/c.yml":  {Data: []byte("on: [")},
		".github/workflows/b.yaml": {Data: []byte(on + job("a", "", "${{ secrets.THREE }}") + job("b", "staging", "${{ secrets.KEY }} ${{ secrets.three }}"))},
		".github/workflows/d.yml":  {Data: []byte("env: {X: \"${{ secrets.ALL }}\"}\n" + on + job("a", "production", "${{ secrets.KEY }} ${{ secrets.ALL }}") + job("b", "${{ github.ref }}", "${{ secrets.SOME }}"))},
		"c.yml":                    {Data: []byte("secrets.FOUR")},
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"ONE":   "stand-in-for-one",
		"TWO":   "stand-in-for-two",
		"THREE": "stand-in-for-three",
		"ALL":   "stand-in-for-all",
		"SOME":  "stand-in-for-some",
	}, repository)
	require.Equal(t, map[string]map[string]string{
		"staging":    {"KEY": "stand-in-for-key-of-staging"},
		"production": {"KEY": "stand-in-for-key-of-production"},
	}, environments)
}

// Every variable that is used in an expression has a value, even in called files. Text outside expressions is ignored.
func TestVariables(t *testing.T) {
	files := fstest.MapFS{
		".github/workflows/a.yml": {Data: []byte(`on: push
jobs:
  # ${{ vars.COMMENT }}
  a: {runs-on: ubuntu-24.04, if: "vars.One != 'off'", steps: [{run: "echo vars.TEXT ${{ vars['TWO'] }} ${{ env.my_vars }}"}]}
  b: {uses: ./.github/workflows/b.yml, with: {x: "${{ vars.three }}"}}
  c: {uses: other/repository/.github/workflows/b.yml@v1}
  d: {uses: ./.github/workflows/none.yml}
`)},
		".github/workflows/b.yml": {Data: []byte(`on: {workflow_call: {inputs: {x: {type: string}}}}
jobs:
  a: {runs-on: "${{ vars.FOUR }}", steps: [{run: "true"}]}
  b: {uses: ./.github/workflows/b.yml}
`)},
	}
	w, err := file.Read(".github/workflows/a.yml", files[".github/workflows/a.yml"].Data)
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"ONE":   "stand-in-for-one",
		"TWO":   "stand-in-for-two",
		"THREE": "stand-in-for-three",
		"FOUR":  "stand-in-for-four",
	}, machine.Variables(files, w))
}
