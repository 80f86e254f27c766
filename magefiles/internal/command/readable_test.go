package command_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestReadable finds the credentials in a home directory, ignores files that have the name of a credential file but contain no credentials, and
// never shows contents.
func TestReadable(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(home, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(home, name), []byte(text), 0o600))
	}
	require.NotContains(t, command.Readable(home, nil), "~/.netrc")
	write(".netrc", "machine x password hunter2")
	write(".npmrc", "save-exact=true")
	write(".docker/config.json", `{"auths": {}}`)
	write(".aws/credentials", "")
	write(".ssh/open", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n-----END OPENSSH PRIVATE KEY-----\n")
	write(".ssh/closed", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0\n-----END OPENSSH PRIVATE KEY-----\n")
	write(".ssh/older", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nx\n-----END RSA PRIVATE KEY-----\n")
	write(".ssh/oldest", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n")
	write(".ssh/open.pub", "ssh-ed25519 AAAA")
	require.Equal(t, []string{"~/.netrc", "~/.ssh/oldest (without a passphrase)", "~/.ssh/open (without a passphrase)"}, command.Readable(home, nil)[:3])
	write(".npmrc", "//registry/:_authToken=hunter2")
	write(".docker/config.json", `{"auths": {"ghcr.io": {"auth": "aHVudGVyMg=="}}}`)
	write(".config/gh/hosts.yml", "oauth_token: hunter2")
	write(".rattler/credentials.json", `{"*.prefix.dev": {"BearerToken": "hunter2"}}`)
	write("elsewhere.json", "{}")
	socket := filepath.Join(home, "s")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer listener.Close()
	all := command.Readable(home, []string{
		"RATTLER_AUTH_FILE=" + filepath.Join(home, "elsewhere.json"), "NETRC=" + filepath.Join(home, ".netrc"), "SSH_AUTH_SOCK=" + socket, "KUBECONFIG=/not/there",
	})
	for _, name := range []string{"~/.netrc", "~/.npmrc", "~/.docker/config.json", "~/.config/gh/hosts.yml", "~/.rattler/credentials.json", "the file of RATTLER_AUTH_FILE", "the agent of SSH_AUTH_SOCK"} {
		require.Contains(t, all, name)
	}
	for _, name := range all {
		require.NotContains(t, name, "hunter2")
		require.NotContains(t, name, "NETRC") // the variable is already reported
		require.NotContains(t, name, "KUBECONFIG")
	}
}
