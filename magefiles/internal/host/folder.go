package host

import (
	"os"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// longest limits the length of a socket's path: macOS allows 104 bytes, and ssh temporarily appends to the path.
const longest = 80

// folder is a private folder for a socket and for login files.
type folder struct {
	path   string
	remove func() error
}

// newFolder creates a private folder. Its path is short enough for a socket, and has no characters that are special for ssh. It also removes the
// folders that killed runs have left, because they may contain a private key.
func newFolder() (*folder, error) {
	parent := os.TempDir()
	if len(parent) > longest-20 || !plain.MatchString(parent) {
		parent = "/tmp"
	}
	path, remove, err := scratch.Make(parent, "deploy-")
	if err != nil {
		return nil, operr.New("make this folder writable: "+parent, "creating a folder for a socket: %w", err)
	}
	return &folder{path: path, remove: remove}, nil
}
