package gitremote_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/ptytest"
)

// asks is a test case: a repository in which a program prompts the user, and the action that causes the prompt.
type asks struct {
	name     string
	prepare  func(t *testing.T, dir string, git func(args ...string))
	do       string // commit, tag, push, or ask the remote
	question string
	answer   string
	refusal  string // expected error text without a terminal
}

const hookAsks = "#!/bin/sh\nprintf 'really? ' >&2\nread answer </dev/tty || exit 1\ntest \"$answer\" = certainly\n"

func asksHook(name, text string) func(*testing.T, string, func(...string)) {
	return func(t *testing.T, dir string, git func(...string)) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".git", "hooks", name), []byte(text), 0o755))
	}
}

func signing(t *testing.T, dir string, git func(...string)) {
	key := filepath.Join(t.TempDir(), "key")
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "certainly", "-f", key).CombinedOutput()
	require.NoError(t, err, string(out))
	for k, v := range map[string]string{"gpg.format": "ssh", "user.signingkey": key, "commit.gpgsign": "true", "tag.gpgsign": "true"} {
		git("config", k, v)
	}
}

// protected serves a repository over HTTP with a password.
func protected(helper string) func(t *testing.T, dir string, git func(...string)) {
	return func(t *testing.T, dir string, git func(...string)) {
		git("update-server-info")
		files := http.FileServer(http.Dir(filepath.Join(dir, ".git")))
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, password, _ := r.BasicAuth(); password != "certainly" {
				w.Header().Set("WWW-Authenticate", `Basic realm="w"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			files.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		git("remote", "set-url", "origin", strings.Replace(server.URL, "://", "://me@", 1))
		git("config", "credential.helper", helper)
	}
}

var asking = []asks{
	{"a hook of a commit", asksHook("pre-commit", hookAsks), "commit", "really? ", "certainly", "/dev/tty"},
	{"a hook for the message", asksHook("commit-msg", hookAsks), "commit", "really? ", "certainly", "/dev/tty"},
	{"a hook of a push", asksHook("pre-push", strings.Replace(hookAsks, ">&2", ">/dev/tty", 1)), "push", "really? ", "certainly", "/dev/tty"},
	{"a key that signs a commit", signing, "commit", "passphrase", "certainly", "passphrase"},
	{"a key that signs a tag", signing, "tag", "passphrase", "certainly", "passphrase"},
	{"a helper", protected(`!f() { printf 'the code: ' >/dev/tty && read c </dev/tty && echo password=$c; }; test $1 = get && f`), "remote", "the code: ", "certainly", "/dev/tty"},
	{"git itself", protected(""), "remote", "Password", "certainly", "terminal prompts disabled"},
}

// asked makes the repository of the test case, with a remote.
func (a asks) asked(t *testing.T) (dir string, run *command.System) {
	dir, runner := gitrepotest.New(t)
	run = runner.(*command.System)
	git := func(args ...string) {
		require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: dir}))
	}
	bare := filepath.Join(t.TempDir(), "bare.git")
	git("init", "-q", "--bare", bare)
	git("remote", "add", "origin", bare)
	a.prepare(t, dir, git)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "file"), []byte("second\n"), 0o644))
	return dir, run
}

// act performs an action in the repository in dir.
func act(ctx context.Context, run *command.System, dir, what string) error {
	return actWithin(ctx, run, dir, what, git.Limits{})
}

// actWithin is like act, with timeouts for the remote.
func actWithin(ctx context.Context, run *command.System, dir, what string, limits git.Limits) error {
	repo, err := gitrepo.Open(ctx, run, dir)
	if err != nil {
		return err
	}
	repo.Limits = limits
	head, err := repo.Head(ctx)
	if err != nil {
		return err
	}
	switch what {
	case "commit":
		_, err = repo.Commit(ctx, []string{"sub/file"}, "feat: second")
	case "tag":
		err = repo.Tag(ctx, "v1", head.Commit, "v1")
	case "push":
		err = gitremote.Push(ctx, repo, "origin", head.Commit, "main")
	case "remote":
		_, err = gitremote.Read(ctx, repo, "origin")
	}
	return err
}

// TestHelperAtATerminal is a helper process that the other tests start on a separate terminal. Run directly, it does nothing.
func TestHelperAtATerminal(t *testing.T) {
	dir, what, ok := strings.Cut(os.Getenv("ACT_AT_A_TERMINAL"), "|")
	if !ok {
		return
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	defer stop()
	run := command.NewSystem(os.Environ(), nil)
	what, alone := strings.CutSuffix(what, " alone")
	if !alone {
		run.At(command.Terminal{Show: os.Stderr})
	}
	err := act(ctx, run, dir, what)
	fmt.Fprintf(os.Stderr, "\nended: %+v; stopped: %v.\n", err, ctx.Err() != nil)
}

// atTerminal starts the helper process on a terminal, types the answer at the prompt, and returns all terminal output.
func (a asks) atTerminal(t *testing.T, answer string) string {
	dir, run := a.asked(t)
	x := exec.Command(os.Args[0], "-test.run=^TestHelperAtATerminal$")
	x.Env = append(run.Environ(), "ACT_AT_A_TERMINAL="+dir+"|"+a.do)
	terminal := ptytest.Start(t, x)
	if answer != "" {
		terminal.Expect(a.question)
		time.Sleep(100 * time.Millisecond) // a password prompt discards input that was typed earlier
		terminal.Type(answer)
	}
	said, _ := terminal.End()
	return said
}

func TestPromptIsAnswered(t *testing.T) {
	for _, a := range asking {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			said := a.atTerminal(t, a.answer+"\n")
			require.Contains(t, said, a.question)
			require.Contains(t, said, "ended: <nil>; stopped: false.")
		})
	}
}

// Ctrl-C stops us, too, although the terminal sends it only to the child process that prompts. An earlier Ctrl-Z stops neither process.
func TestCtrlCDuringAPrompt(t *testing.T) {
	for _, a := range asking {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			said := a.atTerminal(t, "\x1a\x03")
			require.Contains(t, said, a.question)
			require.Contains(t, said, "stopped: true.")
			require.NotContains(t, said, "ended: <nil>")
		})
	}
}

// A child process that may not use our terminal fails when it prompts, instead of being suspended by the kernel forever.
func TestPromptWithoutTheTerminalFails(t *testing.T) {
	for _, a := range asking[:4] {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			a.do, a.question = a.do+" alone", "no question"
			begun := time.Now()
			require.Contains(t, a.atTerminal(t, ""), a.refusal)
			require.Less(t, time.Since(begun), 5*time.Second)
		})
	}
}

// Without a terminal, prompts fail immediately.
func TestPromptWithoutATerminalFails(t *testing.T) {
	for _, a := range asking {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			dir, run := a.asked(t)
			begun := time.Now()
			err := act(t.Context(), run, dir, a.do)
			require.Error(t, err)
			require.Contains(t, fmt.Sprintf("%+v", err), a.refusal)
			require.Less(t, time.Since(begun), 3*time.Second) // generous: this takes one second on a loaded machine
		})
	}
}

func TestRemoteThatNeverAnswers(t *testing.T) {
	limits := git.Limits{
		Question: 500 * time.Millisecond,
		Transfer: 700 * time.Millisecond,
		Person:   500 * time.Millisecond,
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() }) // the server never accepts, so connections hang
	at := listener.Addr().String()
	for _, url := range []string{"http://" + at + "/r", "git://" + at + "/r", "ssh://host/r", "https://" + at + "/r"} {
		for _, what := range []string{"remote", "push"} {
			t.Run(what+" "+url[:5], func(t *testing.T) {
				t.Parallel()
				a := asks{prepare: func(_ *testing.T, _ string, git func(...string)) {
					git("remote", "set-url", "origin", url)
					git("config", "core.sshCommand", "sleep 60 #")
				}}
				dir, run := a.asked(t)
				begun := time.Now()
				err := actWithin(t.Context(), run, dir, what, limits)
				require.ErrorContains(t, err, "the remote has not answered for")
				require.True(t, gitremote.Transient(err))
				require.Less(t, time.Since(begun), 10*time.Second)
			})
		}
	}
}
