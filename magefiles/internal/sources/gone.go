package sources

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/journal"
)

// ofFile is the file that stores the workspace's path, next to its build folders.
const ofFile = ".workspace"

// noteWorkspace records the workspace's path next to its build folders, and removes the build folders of workspaces that no longer exist. Errors
// are ignored, because at worst they waste disk space.
func (b *build) noteWorkspace() {
	places := filepath.Dir(b.place)
	root, err := filepath.EvalSymlinks(b.Workspace.Root)
	if err != nil {
		return
	}
	scratch.Spread(places)
	note := filepath.Join(places, ofFile)
	if text, err := beneath.Read(note); err == nil && string(text) == root {
		return // the others were checked when this file was written
	}
	all, _ := os.ReadDir(filepath.Dir(places))
	for _, e := range all {
		if dir := filepath.Join(filepath.Dir(places), e.Name()); dir != places && isGone(dir) {
			_ = removeAll(dir)
		}
	}
	_ = atomicfile.WriteFile(note, []byte(root), 0o600)
}

// isGone reports whether the workspace of these build folders no longer exists and none of them is in use.
func isGone(places string) bool {
	root, err := beneath.Read(filepath.Join(places, ofFile))
	if err != nil {
		return false
	}
	if _, err := os.Lstat(string(root)); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	each, _ := os.ReadDir(places)
	for _, e := range each {
		free, err := journal.Hold(filepath.Join(places, e.Name(), "lock"))
		if errors.Is(err, journal.ErrLocked) {
			return false
		}
		if err == nil {
			free()
		}
	}
	return true
}
