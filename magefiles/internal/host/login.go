package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Login is how somebody without an OpenSSH of their own, such as a CI, is let in by hosts, and knows them. The zero value is the operator's own.
type Login struct {
	Key        string // a private key, as its file has it
	KnownHosts string // lines of known_hosts
}

// The files of a login, in the private folder of a connection.
const (
	keyFile    = "key"
	knownFile  = "known_hosts"
	configFile = "config"
)

// write puts a login into files, for ssh and for the ssh that a jump host is reached by, and returns the configuration that names them. Behind them
// what the given one says counts; "" is the operator's. Where there is no login, nothing is written.
func (l Login) write(dir, config string) (string, error) {
	if l == (Login{}) {
		return config, nil
	}
	files := map[string]string{}
	var says strings.Builder
	if l.Key != "" {
		key := lines(l.Key)
		if !strings.HasPrefix(key, "-----BEGIN ") || strings.Count(key, "\n") < 3 {
			return "", operr.NewUsage("give it the whole file that `ssh-keygen` has made, from -----BEGIN to -----END", "the private key for ssh is none")
		}
		files[keyFile] = key
		says.WriteString("IdentityFile " + filepath.Join(dir, keyFile) + "\nIdentitiesOnly yes\nIdentityAgent none\n")
	}
	if l.KnownHosts != "" {
		files[knownFile] = lines(l.KnownHosts)
		says.WriteString("UserKnownHostsFile " + filepath.Join(dir, knownFile) + "\nGlobalKnownHostsFile none\n")
	}
	if config == "" {
		says.WriteString("Include ~/.ssh/config /etc/ssh/ssh_config\n")
	} else {
		text, err := os.ReadFile(config)
		if err != nil {
			return "", operr.NewUsage("correct ssh_config in the environment's table", "the configuration for ssh cannot be read: %w", err)
		}
		says.Write(text)
	}
	files[configFile] = says.String()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", operr.New("see that files can be made in "+strconv.Quote(filepath.Dir(dir)), "writing what ssh logs in by: %w", err)
		}
	}
	return filepath.Join(dir, configFile), nil
}

// lines are those of a text that went through a setting: it may have lost its last end of a line, and have got those of Windows.
func lines(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) + "\n"
}

// remove takes the files of a login away.
func (l Login) remove(dir string) {
	for _, name := range []string{keyFile, knownFile, configFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			_ = os.RemoveAll(dir) // what cannot be removed alone must not stay either
		}
	}
}
