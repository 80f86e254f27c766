package e2e_test

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestNoSecretIsWritten publishes with an API key and by trusted publishing, successfully and with failures, verbosely, and with and without JSON. It
// also rehearses. It searches for every secret that was used in all output, in every file that the client or the server wrote, and in the command
// lines of all processes.
func TestNoSecretIsWritten(t *testing.T) {
	t.Parallel()
	const key = "pfx_the_secret_of_the_secret_test"
	root := t.TempDir()
	for name, text := range onePackage {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "feat: first"}} {
		out, err := exec.Command("git", append([]string{"-C", root}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	channels, said := t.TempDir(), &bytes.Buffer{}
	url, job := startServer(t, root, channels, key)
	secrets := []string{key, "pfx-jwt.", "eyJhbGciOi"} // prefixes of minted tokens, and of everything that is signed
	for _, kv := range job {
		if _, value, _ := strings.Cut(kv, "ACTIONS_ID_TOKEN_REQUEST_TOKEN="); value != "" {
			secrets = append(secrets, value)
		}
	}
	require.Len(t, secrets, 4)
	stop := watchCommandLines(t, secrets)
	mage := func(want int, env []string, args ...string) {
		x := exec.Command(filepath.Join(compiled, "targets"), args...)
		x.Dir, x.Env = root, append(append(os.Environ(), "PIPELINE_TOOLCHAIN=embedded", "PREFIX_SERVER_URL="+url), env...)
		x.Stdout, x.Stderr = said, said
		_ = x.Run()
		require.Equal(t, want, x.ProcessState.ExitCode(), "%v\n%s", args, said)
	}
	mage(1, append(job, "PREFIX_CHANNEL=another"), "-v", "publish", "-yes")                                // no channel of that name trusts the job
	mage(1, []string{"PREFIX_API_KEY=" + key + "x"}, "publish", "-yes")                                    // wrong key
	mage(1, []string{"PREFIX_API_KEY=" + key + "\n"}, "publish", "-yes")                                   // key with a newline
	mage(1, []string{"PREFIX_API_KEY=" + key, "PREFIX_SERVER_URL=http://198.51.100.1"}, "publish", "-yes") // http would send the key in the clear
	mage(0, job, "-v", "publish", "-yes")                                                                  // trusted publishing
	require.Contains(t, said.String(), "trusted publishing from GitHub Actions")
	mage(0, []string{"PREFIX_API_KEY=" + key, "PREFIX_CHANNEL=other"}, "-v", "publish", "-yes", "-json")
	mage(0, []string{"PREFIX_API_KEY=" + key}, "-v", "rehearse", "-json")
	stop()

	for _, secret := range secrets {
		require.NotContains(t, said.String(), secret)
		for _, dir := range []string{root, channels} {
			require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
				if err != nil || !e.Type().IsRegular() {
					return err
				}
				data, err := os.ReadFile(path)
				if errors.Is(err, fs.ErrNotExist) {
					return nil // the server is rewriting its indexes
				}
				require.False(t, bytes.Contains(data, []byte(secret)), path)
				return err
			}))
		}
	}
}

// startServer runs `targets channel:serve` until the test ends. It returns the server's URL and the environment of a job that our channel trusts. The
// server's output must not contain secrets.
func startServer(t testing.TB, root, dir, key string, flags ...string) (url string, job []string) {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "serve")
	require.NoError(t, err)
	x := exec.Command(filepath.Join(compiled, "targets"), append([]string{"channel:serve", "-dir=" + dir, "-repository=octo/tools"}, flags...)...)
	x.Dir, x.Env, x.Stderr = root, append(os.Environ(), "PREFIX_API_KEY="+key), log
	out, err := x.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, x.Start())
	t.Cleanup(func() {
		require.NoError(t, x.Process.Signal(syscall.SIGTERM))
		require.NoError(t, x.Wait(), "the server ends by a signal, without an error")
		data, err := os.ReadFile(log.Name())
		require.NoError(t, err)
		require.NotContains(t, string(data), key)
		require.NotContains(t, string(data), "pfx-jwt.")
		require.Contains(t, string(data), "stored")
	})
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	url = lines.Text()
	for range 3 {
		require.True(t, lines.Scan())
		job = append(job, lines.Text())
	}
	return url, job
}

// watchCommandLines searches the command lines of all processes for secrets until stop is called.
func watchCommandLines(t *testing.T, secrets []string) (stop func()) {
	done, ended := make(chan struct{}), make(chan string, 1)
	go func() {
		found := ""
		for {
			select {
			case <-done:
				ended <- found
				return
			case <-time.After(50 * time.Millisecond):
			}
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, f := range files {
				data, _ := os.ReadFile(f) // the process may have ended
				for _, s := range secrets {
					if bytes.Contains(data, []byte(s)) {
						found = string(data)
					}
				}
			}
		}
	}()
	return func() {
		close(done)
		require.Empty(t, <-ended)
	}
}
