package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Our options override any configuration, also for a jump host, which only gets options through the configuration.
func TestOurOptionsTakePrecedence(t *testing.T) {
	dir := t.TempDir()
	theirs := filepath.Join(dir, "ssh_config")
	require.NoError(t, os.WriteFile(theirs, []byte(`Host *
	BatchMode no
	StrictHostKeyChecking no
	ControlMaster yes
	ControlPath /x
	ConnectTimeout 1000
	ServerAliveInterval 0
	ServerAliveCountMax 1000
	ForwardAgent yes
	ForwardX11 yes
	PermitLocalCommand yes
	RemoteCommand x
	LogLevel QUIET
	IdentitiesOnly no
	IdentityAgent /x
	GlobalKnownHostsFile /x
	UserKnownHostsFile /x
`), 0o600))
	s := SSH{
		Runner: command.NewSystem(os.Environ(), nil),
		Config: theirs,
		Login:  Login{Key: "-----BEGIN A KEY-----\nof\nlines\n-----END A KEY-----", KnownHosts: "vm ssh-ed25519 AAAA"},
	}
	config, err := s.configPath(t.Context(), destination{name: "vm"}, dir)
	require.NoError(t, err)
	out, err := command.Output(t.Context(), s.Runner, command.Cmd{Name: "ssh", Args: []string{"-F", config, "-G", "--", "vm"}})
	require.NoError(t, err)
	got := strings.Split(out, "\n")
	for _, want := range []string{
		"batchmode yes", "stricthostkeychecking true", "controlmaster false", "connecttimeout 15", "serveraliveinterval 5", "serveralivecountmax 3",
		"forwardagent no", "forwardx11 no", "permitlocalcommand no", "loglevel INFO",
		"identityfile " + filepath.Join(dir, "key"), "identitiesonly yes", "identityagent none",
		"userknownhostsfile " + filepath.Join(dir, "known_hosts"), "globalknownhostsfile none",
	} {
		require.Contains(t, got, want)
	}
	for _, line := range got {
		require.NotRegexp(t, `^(controlpath|remotecommand) (/x|x)$`, line)
	}
}
