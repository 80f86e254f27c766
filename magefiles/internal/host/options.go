package host

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// options are what ssh is told whatever the configuration says, for a host and for each jump host before it: it asks nobody, takes no unknown key,
// and shares no connection, so that no stale one of the operator's is in the way.
var options = []string{
	"BatchMode=yes", "StrictHostKeyChecking=yes", "ControlMaster=no", "ControlPath=none", "ConnectTimeout=15", "ServerAliveInterval=5", "ServerAliveCountMax=3",
	"ForwardAgent=no", "ForwardX11=no", "PermitLocalCommand=no", "RemoteCommand=none", "LogLevel=INFO",
}

// configured returns the configuration by which a host is reached; "" is the operator's own. To a jump host ssh starts another ssh, which gets
// none of our words but the name of a configuration (ssh_config(5), ProxyJump): the options stand in one of our own then, which includes the other
// one. Its path goes into a command of sh, and so is one of ours in any case. A login of the environment stands there, too.
func (s SSH) configured(ctx context.Context, to destination, dir string) (string, error) {
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
		theirs := filepath.Join(dir, "theirs") // ssh asks who may write what is included
		if err := os.WriteFile(theirs, text, 0o600); err != nil {
			return "", err
		}
		included = []string{theirs}
	}
	var text bytes.Buffer
	for _, option := range options {
		text.WriteString(option + "\n")
	}
	text.WriteString(login) // of what is said twice the first counts
	text.WriteString("Include " + strings.Join(included, " ") + "\n")
	ours := filepath.Join(dir, "config")
	return ours, os.WriteFile(ours, text.Bytes(), 0o600)
}

// jumps reports whether the operator's configuration leads to a host over another one. One that ssh cannot read does not: ssh says why when it connects.
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

// theirsIn puts the name of the configuration that was asked for into what ssh says of our copy of it.
func (s SSH) theirsIn(dir string, said string) string {
	return strings.ReplaceAll(said, filepath.Join(dir, "theirs"), s.Config)
}
