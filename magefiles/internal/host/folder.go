package host

import (
	"os"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// longest is what a socket's path may have: 104 bytes on macOS, with ssh's own ending while it makes one.
const longest = 80

// folder is a private one, for a socket and for what ssh logs in by.
type folder struct {
	path   string
	remove func() error
}

// newFolder makes a folder that nobody else looks into, whose path is short and plain enough for a socket, and for ssh. Those of runs that were
// killed are removed: a key may be in them.
func newFolder() (*folder, error) {
	parent := os.TempDir()
	if len(parent) > longest-20 || !plain.MatchString(parent) {
		parent = "/tmp"
	}
	path, remove, err := scratch.Make(parent, "deploy-")
	if err != nil {
		return nil, operr.New("see that files can be made in "+parent, "a folder for a socket: %w", err)
	}
	return &folder{path: path, remove: remove}, nil
}
