package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/ptytest"
)

// asksForTicket is a hook script that asks the user a question at the terminal.
const asksForTicket = `exec </dev/tty || exit 1; printf "$0: the ticket? " >/dev/tty; read answer; [ "$answer" = T-1 ]`

// whereAllAsk makes a clone in which the commit and push hooks ask questions, and ssh signing asks for a passphrase.
func whereAllAsk(t *testing.T) *releasing {
	r := newReleasing(t, releaseOptions{})
	hook(t, r.dir+"/.git/hooks", "pre-commit", asksForTicket)
	hook(t, r.dir+"/.git/hooks", "pre-push", asksForTicket)
	key := filepath.Join(t.TempDir(), "key")
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", key).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for name, value := range map[string]string{"gpg.format": "ssh", "user.signingKey": key, "commit.gpgSign": "true", "tag.gpgSign": "true"} {
		git(t, r.dir, "config", name, value)
	}
	r.env = slices.DeleteFunc(r.env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"CI", "SSH_AUTH_SOCK", "SSH_ASKPASS", "DISPLAY"}, name)
	})
	return r
}

// A user at a terminal answers all programs that ask something in the middle of a release.
func TestQuestionsOfProgramsInARelease(t *testing.T) {
	t.Parallel()
	r := whereAllAsk(t)
	x, _ := r.start("release", "-to=patch", "-yes")
	terminal := ptytest.Start(t, x)
	asked := terminal.Answers(map[string]string{"the ticket? ": "T-1", "passphrase": "open sesame"})
	said, code := terminal.End()
	require.Zero(t, code, said)
	require.Contains(t, said, "v0.1.7 is released")
	require.Contains(t, said, "pre-commit: the ticket? ")
	require.Contains(t, said, "pre-push: the ticket? ")
	require.Equal(t, map[string]int{"the ticket? ": 2, "passphrase": 2}, asked, said)
	require.True(t, terminal.Echoes())
	require.Contains(t, git(t, r.dir, "cat-file", "tag", "v0.1.7"), "BEGIN SSH SIGNATURE")
	require.Contains(t, git(t, r.dir, "cat-file", "commit", "v0.1.7^{commit}"), "gpgsig -----BEGIN SSH SIGNATURE")
}

// Ctrl-C at a question stops the release at a point from which it can be resumed.
func TestCtrlCAtAQuestion(t *testing.T) {
	t.Parallel()
	r := whereAllAsk(t)
	x, _ := r.start("release", "-to=patch", "-yes")
	terminal := ptytest.Start(t, x)
	terminal.Expect("pre-commit: the ticket? ")
	terminal.Type("T-1\n")
	terminal.Expect("passphrase")
	terminal.Type("open sesame\n")
	terminal.Expect("passphrase")
	terminal.Type("open sesame\n")
	terminal.Expect("pre-push: the ticket? ")
	terminal.Type("\x03")
	said, code := terminal.End()
	require.Equal(t, 130, code, said)
	if !strings.Contains(said, mageLeft) {
		require.Contains(t, said, "stopped by a signal (interrupt), at a safe point")
		require.Contains(t, said, "`mage release` continues from here")
	}
	x, _ = r.start("release", "-yes")
	terminal = ptytest.Start(t, x)
	require.Equal(t, map[string]int{"the ticket? ": 1}, terminal.Answers(map[string]string{"the ticket? ": "T-1", "passphrase": "open sesame"}))
	said, code = terminal.End()
	require.Zero(t, code, said)
	require.Contains(t, said, "v0.1.7 is released")
}

// In a terminal that a CI has allocated, each question fails immediately, and the error has a next step.
func TestQuestionsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		without []string // hooks to remove
		says    string
	}{
		"a pre-commit hook": {nil, "/dev/tty"},
		"a signature":       {[]string{"pre-commit"}, "passphrase"},
	} {
		t.Run(name, func(t *testing.T) {
			r := whereAllAsk(t)
			for _, h := range c.without {
				require.NoError(t, exec.Command("rm", filepath.Join(r.dir, ".git", "hooks", h)).Run())
			}
			r.env = append(r.env, "CI=true")
			x, _ := r.start("release", "-to=patch", "-yes")
			began := time.Now()
			terminal := ptytest.Start(t, x)
			said, code := terminal.End()
			require.Equal(t, 1, code, said)
			require.Contains(t, said, c.says)
			require.Contains(t, said, "→ ")
			require.Less(t, time.Since(began), 30*time.Second)
		})
	}
}

// The time limit for servers is suspended while the user types a passphrase during status. Otherwise the rest of the passphrase would be typed into
// the shell.
func TestStatusWaitsForAPassphrase(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.refuseUploads("mono-core")
	r.refused(1, "", "release", "-to=patch", "-yes")
	r.env = command.Unset(r.env, "CI", "GIT_SSH_COMMAND", "GIT_SSH")
	ssh := filepath.Join(t.TempDir(), "ssh")
	write(t, filepath.Dir(ssh), "ssh", "#!/bin/sh\nprintf 'the code? ' >/dev/tty; read code </dev/tty; [ \"$code\" = 77 ] || exit 1\nshift; eval \"$*\"\n")
	require.NoError(t, os.Chmod(ssh, 0o755))
	for name, value := range map[string]string{"core.sshCommand": ssh, "ssh.variant": "simple", "remote.origin.url": "somewhere:" + r.world.Remote} {
		git(t, r.dir, "config", name, value)
	}
	x, _ := r.start("status")
	terminal := ptytest.Start(t, x)
	terminal.Expect("the code? ")
	time.Sleep(6 * time.Second)
	terminal.Type("77\n")
	terminal.Answers(map[string]string{"the code? ": "77"})
	said, code := terminal.End()
	require.Zero(t, code, said)
	require.NotContains(t, said, "no answer within")
	require.Regexp(t, `push +origin/main and the tags at [0-9a-f]{12}`, said)
}
