package hosttest

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	gossh "golang.org/x/crypto/ssh"
)

// login contains what a client needs to connect to a server.
type login struct {
	addr   string // HOST:PORT
	user   string
	key    gossh.PublicKey    // host key
	client ed25519.PrivateKey // the only key that is authorized
}

// Config writes an ssh_config in which servers have names, and which does not use this machine's keys and known hosts. It returns the path.
func Config[S interface{ login() login }](t testing.TB, servers map[string]S) string {
	t.Helper()
	dir := t.TempDir()
	var config, known strings.Builder
	for name, server := range servers {
		s := server.login()
		block, err := gossh.MarshalPrivateKey(s.client, "")
		require.NoError(t, err)
		identity := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(identity, pem.EncodeToMemory(block), 0o600))
		host, port, err := net.SplitHostPort(s.addr)
		require.NoError(t, err)
		fmt.Fprintf(&config, "Host %s\n\tHostName %s\n\tPort %s\n\tUser %s\n\tIdentityFile \"%s\"\n", name, host, port, s.user, identity)
		fmt.Fprintf(&known, "[%s]:%s %s", host, port, gossh.MarshalAuthorizedKey(s.key))
	}
	fmt.Fprintf(&config, "Host *\n\tIdentitiesOnly yes\n\tIdentityAgent none\n\tUserKnownHostsFile \"%s\"\n\tGlobalKnownHostsFile none\n", filepath.Join(dir, "known_hosts"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "known_hosts"), []byte(known.String()), 0o600))
	path := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(path, []byte(config.String()), 0o600))
	return path
}
