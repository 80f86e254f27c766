package command_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

func system(secrets ...string) *command.System { return command.NewSystem(os.Environ(), secrets) }

func sh(script string, args ...string) command.Cmd {
	return command.Cmd{Name: "sh", Args: append([]string{"-c", script, "sh"}, args...)}
}

func TestOutput(t *testing.T) {
	out, err := command.Output(t.Context(), system(), sh(`echo out; echo err >&2`))
	require.NoError(t, err)
	require.Equal(t, "out", out)
}

func TestExitErrorHasStatusAndLastLines(t *testing.T) {
	err := system().Run(t.Context(), sh(`echo first; seq 100 >&2; exit 7`))
	var exit *command.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 7, exit.Code)
	require.EqualError(t, exit, "sh ended with exit status 7")
	require.True(t, strings.HasSuffix(exit.Tail, "99\n100"))
	require.NotContains(t, exit.Tail, "first")
}

func TestSignalIsNamed(t *testing.T) {
	err := system().Run(t.Context(), sh(`kill -9 $$`))
	var exit *command.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, syscall.SIGKILL, exit.Signal)
	require.Equal(t, 128+9, exit.Code)
}

func TestMissingProgram(t *testing.T) {
	err := system().Run(t.Context(), command.Cmd{Name: "no-such-program"})
	require.ErrorIs(t, err, command.ErrNotFound)
	require.ErrorContains(t, err, "no-such-program")
}

// The program is looked up on the child's PATH, not on ours.
func TestProgramIsFoundOnTheChildsPath(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tool"), []byte("#!/bin/sh\necho mine\n"), 0o755))
	out, err := command.Output(t.Context(), system(), command.Cmd{Name: "tool", Env: []string{"PATH=.:" + dir + ":/bin:/usr/bin"}})
	require.NoError(t, err)
	require.Equal(t, "mine", out)
}

// A child pixi must not believe that it runs in the pixi shell in which this process was started.
func TestPixiShellIsNotInherited(t *testing.T) {
	env := append(os.Environ(), "PIXI_IN_SHELL=1", "PIXI_PROJECT_MANIFEST=/elsewhere/pixi.toml", "PIXI_CACHE_DIR=/kept")
	out, err := command.Output(t.Context(), command.NewSystem(env, nil), sh(`echo "$PIXI_IN_SHELL|$PIXI_PROJECT_MANIFEST|$PIXI_CACHE_DIR"`))
	require.NoError(t, err)
	require.Equal(t, "||/kept", out)
}

// A child may find a credential that it was not given, in a file or in the environment of its ancestors.
func TestOtherSecretsAreHiddenToo(t *testing.T) {
	const key = "first-of-a-key\nsecond-of-a-key\n"
	s := command.NewSystem(append(os.Environ(), "GH_TOKEN=ghp_AbCdEfGhIj", "ALL_PROXY=http://u:passw0rdxyz@127.0.0.1:9", "A_PRIVATE_KEY="+key), nil)
	for _, env := range [][]string{nil, {"PATH=" + os.Getenv("PATH")}} {
		var out bytes.Buffer
		c := sh("echo ghp_AbCdEfGhIj; echo passw0rdxyz; echo second-of-a-key")
		c.Stdout, c.Env = &out, env
		require.NoError(t, s.Run(t.Context(), c))
		require.Equal(t, "***\n***\n***\n", out.String())
	}
}

func TestSecretsAreHidden(t *testing.T) {
	var out, errOut bytes.Buffer
	c := sh(`printf 'a pfx_sec'; sleep 0.05; echo 'ret b'; echo "key=other-one" >&2; exit 1`)
	c.Stdout, c.Stderr, c.Secrets = &out, &errOut, []string{"other-one"}
	err := system("pfx_secret").Run(t.Context(), c)
	var exit *command.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, "a *** b\n", out.String())
	require.Equal(t, "key=***\n", errOut.String())
	require.NotContains(t, exit.Tail, "pfx_secret")
	require.NotContains(t, exit.Tail, "other-one")
	require.Equal(t, "x *** ***", command.Redact("x longer-secret a-secret", "a-secret", "longer-secret", ""))
	require.Equal(t, "all of 1 is shown, and of key", command.Redact("all of 1 is shown, and of key", "1", "key", "shown"), "such a key would hide everything")
}

// When the context ends, so do all processes that the child started, and the error has the cause.
func TestCancellationEndsTheWholeGroup(t *testing.T) {
	dir := t.TempDir()
	pidFile := filepath.Join(dir, "pid")
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for !exists(pidFile) {
			time.Sleep(5 * time.Millisecond)
		}
		cancel(why)
	}()
	err := system().Run(ctx, sh(`sleep 600 & echo $! > "$1.part" && mv "$1.part" "$1"; wait`, pidFile))
	require.ErrorIs(t, err, why)
	require.EqualError(t, err, "sh was stopped: enough")
	require.True(t, command.WasStopped(fmt.Errorf("x: %w", err)))
	requireDead(t, pidFile)
	err = system().Run(ctx, sh("true"))
	require.EqualError(t, err, "enough")
	require.True(t, command.WasStopped(err), "it was not begun")
	require.False(t, command.WasStopped(system().Run(t.Context(), sh("exit 1"))))
}

// A process that a child leaves in its group is ended.
func TestLeftOverProcessesEnd(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	require.NoError(t, system().Run(t.Context(), sh(`sleep 600 >/dev/null 2>&1 & echo $! > "$1"`, pidFile)))
	requireDead(t, pidFile)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func requireDead(t *testing.T, pidFile string) {
	text, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	// A killed orphan stays a zombie until init reaps it: only whether it still runs counts.
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 30*time.Second, 10*time.Millisecond)
}

func TestSetenvReplaces(t *testing.T) {
	env := command.Setenv([]string{"A=1", "B=2", "A=3"}, "A=4")
	require.Equal(t, []string{"B=2", "A=4"}, env)
	value, ok := command.Getenv(env, "A")
	require.True(t, ok)
	require.Equal(t, "4", value)
	_, ok = command.Getenv(env, "C")
	require.False(t, ok)
}

// TestHostileSpellingsOfSecrets hides a secret in every form that a child may write: in an address, and in base64, with any text around it.
func TestHostileSpellingsOfSecrets(t *testing.T) {
	for _, secret := range []string{"pfx_8bytes", "pfx_secret/with+odd=signs&more", "ghp_0123456789abcdefghijklmnopqrstuvwxyz", "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7"} {
		for _, before := range []string{"", "u", "u:", "user:", "user-of-the-channel:"} {
			for _, after := range []string{"", "\n", "xy", "@host"} {
				for name, encoded := range map[string]string{
					"standard": base64.StdEncoding.EncodeToString([]byte(before + secret + after)),
					"url":      base64.URLEncoding.EncodeToString([]byte(before + secret + after)),
					"raw":      base64.RawURLEncoding.EncodeToString([]byte(before + secret + after)),
				} {
					shown := command.Redact("Basic "+encoded+" end", secret)
					require.Contains(t, shown, "***", "%s of %q", name, before+secret+after)
					require.LessOrEqual(t, len(shown), len("Basic ")+len(base64.StdEncoding.EncodeToString([]byte(before)))+len("***")+
						len(base64.StdEncoding.EncodeToString([]byte(after)))+8+len(" end"), "%s: %s", encoded, shown)
				}
			}
		}
		require.NotContains(t, command.Redact("https://u:"+url.QueryEscape(secret)+"@h/"+url.PathEscape(secret), secret), url.QueryEscape(secret))
		require.Equal(t, "https://***@h/***", command.Redact("https://"+url.QueryEscape(secret)+"@h/"+url.PathEscape(secret), secret))
	}
}

// If one secret is a prefix of another, the longer one is hidden completely.
func TestHostileSecretWithinASecret(t *testing.T) {
	for _, secrets := range [][]string{{"canary-of-one", "canary-of-one-more"}, {"canary-of-one-more", "canary-of-one"}} {
		require.Equal(t, "***, ***", command.Redact("canary-of-one-more, canary-of-one", secrets...))
	}
}

// The output of a task's command is passed unmasked to the next command or a file. It is masked when it is shown.
func TestTaskOutputIsMaskedWhenShown(t *testing.T) {
	env := []string{"PATH=" + os.Getenv("PATH"), "MY_TEST_TOKEN=canary-of-a-test"}
	var piped, shown, shownToo strings.Builder
	task := command.Cmd{Name: "/bin/sh", Args: []string{"-c", `echo "$MY_TEST_TOKEN"; exit 3`}, Env: env, Stdout: &piped, Theirs: true}
	err := command.NewSystem(nil, nil).Run(t.Context(), task)
	require.Equal(t, "canary-of-a-test\n", piped.String())
	var exit *command.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, "***", exit.Tail)

	for _, both := range [][2]io.Writer{{&shown, &shownToo}, {&shown, &shown}, {&shown, nil}, {nil, &shown}} {
		shown.Reset()
		out, errOut, flush := command.Hiding(env, both[0], both[1])
		require.Equal(t, both[0] == both[1], out == errOut, "one stays one")
		for _, w := range []io.Writer{out, errOut} {
			if w != nil {
				_, err := io.WriteString(w, "canary-of-")
				require.NoError(t, err)
				_, err = io.WriteString(w, "a-test, canary")
				require.NoError(t, err)
			}
		}
		flush()
		require.Regexp(t, `^\*\*\*, canary(\*\*\*, canary)?$`, shown.String())
	}
}

// Values that a child gets are masked in its output: a variable in `pass`, or an index's password. Paths of credentials, and other cloud settings,
// are not masked.
func TestHostileChildPrintsItsSecrets(t *testing.T) {
	s := command.NewSystem(nil, nil)
	var shown strings.Builder
	err := s.Run(t.Context(), command.Cmd{
		Stdout: &shown,
		Name:   "/bin/sh",
		Args:   []string{"-c", `echo "$MY_TEST_TOKEN $my_api_key $UV_INDEX_URL $GOOGLE_CLOUD_PROJECT $RATTLER_AUTH_FILE $https_proxy $(printf %s "$MY_TEST_TOKEN" | base64)"`},
		Env: []string{
			"PATH=" + os.Getenv("PATH"), "MY_TEST_TOKEN=canary-of-a-test", "my_api_key=canary-in-lower-case", "UV_INDEX_URL=https://me:canary-of-an-index@host/simple",
			"GOOGLE_CLOUD_PROJECT=a-project", "RATTLER_AUTH_FILE=/home/me/auth.json", "https_proxy=http://me:canary-of-a-proxy@proxy:3128",
		},
	})
	require.NoError(t, err)
	out := shown.String()
	require.NotContains(t, out, "canary")
	require.NotContains(t, out, "Y2FuYXJ5LW9mLWEtdGVzd")
	require.Contains(t, out, "*** *** https://me:***@host/simple a-project /home/me/auth.json http://me:***@proxy:3128 ")
}
