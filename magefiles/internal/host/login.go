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
	keyFile   = "key"
	knownFile = "known_hosts"
)

// write puts a login into files, for ssh and for the ssh that a jump host is reached by, and returns the lines of a configuration that name them.
// Where there is no login, there is neither.
func (l Login) write(dir string) (says string, err error) {
	files := map[string]string{}
	if l.Key != "" {
		key := lines(l.Key)
		if !strings.HasPrefix(key, "-----BEGIN ") || strings.Count(key, "\n") < 3 {
			return "", operr.NewUsage("give it the whole file that `ssh-keygen` has made, from -----BEGIN to -----END", "the private key for ssh is none")
		}
		files[keyFile] = key
		says += "IdentityFile " + filepath.Join(dir, keyFile) + "\nIdentitiesOnly yes\nIdentityAgent none\n"
	}
	if l.KnownHosts != "" {
		files[knownFile] = lines(l.KnownHosts)
		says += "UserKnownHostsFile " + filepath.Join(dir, knownFile) + "\nGlobalKnownHostsFile none\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", operr.New("see that files can be made in "+strconv.Quote(filepath.Dir(dir)), "writing what ssh logs in by: %w", err)
		}
	}
	return says, nil
}

// lines are those of a text that went through a setting: it may have lost its last end of a line, and have got those of Windows.
func lines(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) + "\n"
}

// remove takes the files of a login away.
func (l Login) remove(dir string) {
	for _, name := range []string{keyFile, knownFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			_ = os.RemoveAll(dir) // what cannot be removed alone must not stay either
		}
	}
}
