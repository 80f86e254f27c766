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

// Login contains a key and known hosts for users without an OpenSSH configuration, such as CI. The zero value uses the operator's.
type Login struct {
	Key        string // content of a private key file
	KnownHosts string // lines of known_hosts
}

// Names of the login files in a connection's private folder.
const (
	keyFile   = "key"
	knownFile = "known_hosts"
)

// write writes the login to files, for ssh and for the ssh process that connects to a jump host. It returns configuration lines that refer to the
// files. For the zero Login, it writes nothing and returns "".
func (l Login) write(dir string) (says string, err error) {
	files := map[string]string{}
	if l.Key != "" {
		key := lines(l.Key)
		if !strings.HasPrefix(key, "-----BEGIN ") || strings.Count(key, "\n") < 3 {
			return "", operr.NewUsage("use the whole file that `ssh-keygen` wrote, from -----BEGIN to -----END", "the value that was given as the private key for ssh is not a private key")
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
			return "", operr.New("make this folder writable: "+strconv.Quote(filepath.Dir(dir)), "writing the key or the known hosts for ssh: %w", err)
		}
	}
	return says, nil
}

// lines repairs a text from a CI setting, which may have lost its final newline, and may have Windows line endings.
func lines(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) + "\n"
}

// remove removes the login files.
func (l Login) remove(dir string) {
	for _, name := range []string{keyFile, knownFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			_ = os.RemoveAll(dir) // if a file cannot be removed, remove the whole folder
		}
	}
}
