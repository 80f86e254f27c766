package host

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// options override any configuration, for the host and for its jump hosts: ssh does not prompt, does not accept unknown keys, and does not share
// connections, because a shared connection of the operator may be stale.
var options = []string{
	"BatchMode=yes", "StrictHostKeyChecking=yes", "ControlMaster=no", "ControlPath=none", "ConnectTimeout=15", "ServerAliveInterval=5", "ServerAliveCountMax=3",
	"ForwardAgent=no", "ForwardX11=no", "PermitLocalCommand=no", "RemoteCommand=none", "LogLevel=INFO",
}

// configPath returns the path of the configuration for connecting to a host, or "" for the operator's own. For a jump host, ssh starts another ssh
// process, which only inherits the path of the configuration (ssh_config(5), ProxyJump). So in that case, our options are in a generated
// configuration, which includes the original one. The path becomes part of an sh command, so a given configuration is always included in a generated
// one, whose path has no special characters. The generated configuration also contains the login, if any.
func (s SSH) configPath(ctx context.Context, to destination, dir string) (string, error) {
	login, err := s.Login.write(dir)
	if err != nil {
		return "", err
	}
	included := []string{"~/.ssh/config", "/etc/ssh/ssh_config"}
	switch {
	case s.Config == "" && login != "":
	case s.Config == "":
		if jumps, err := s.jumps(ctx, to); err != nil || !jumps {
			return "", err
		}
	default:
		text, err := os.ReadFile(s.Config)
		if err != nil {
			return "", failure(to.name, BadConfig, err.Error())
		}
		theirs := filepath.Join(dir, "theirs") // a copy, because ssh checks an included file's permissions
		if err := os.WriteFile(theirs, text, 0o600); err != nil {
			return "", err
		}
		included = []string{theirs}
	}
	var text bytes.Buffer
	for _, option := range options {
		text.WriteString(option + "\n")
	}
	text.WriteString(login) // before the include, because ssh uses the first value of an option
	text.WriteString("Include " + strings.Join(included, " ") + "\n")
	ours := filepath.Join(dir, "config")
	return ours, os.WriteFile(ours, text.Bytes(), 0o600)
}

// jumps reports whether the operator's configuration uses a jump host. It returns false if ssh rejects the configuration, because ssh reports the
// reason when it connects.
func (s SSH) jumps(ctx context.Context, to destination) (bool, error) {
	out, err := command.Output(ctx, s.Runner, command.Cmd{Name: "ssh", Args: []string{"-G", "--", to.name}, Env: command.Setenv(s.Env, "LC_ALL=C"), Limited: true})
	if ctx.Err() != nil {
		return false, err
	}
	for line := range strings.Lines(out) {
		if jump, is := strings.CutPrefix(strings.TrimSpace(line), "proxyjump "); is {
			return jump != "none", nil
		}
	}
	return false, nil
}

// replaceConfigPath replaces the path of our copy in ssh's output with the path of the original configuration.
func (s SSH) replaceConfigPath(dir string, said string) string {
	return strings.ReplaceAll(said, filepath.Join(dir, "theirs"), s.Config)
}
