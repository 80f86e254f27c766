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

// ofFile has the path of the workspace, in the folder of its places.
const ofFile = ".workspace"

// noteWorkspace notes beside the places of a workspace where that is, and removes the places of workspaces that are gone: nothing builds there again.
// That may fail: it costs room, and no build.
func (b *build) noteWorkspace() {
	places := filepath.Dir(b.place)
	root, err := filepath.EvalSymlinks(b.Workspace.Root)
	if err != nil {
		return
	}
	scratch.Spread(places)
	note := filepath.Join(places, ofFile)
	if text, err := beneath.Read(note); err == nil && string(text) == root {
		return // the others were looked at when it was written
	}
	all, _ := os.ReadDir(filepath.Dir(places))
	for _, e := range all {
		if dir := filepath.Join(filepath.Dir(places), e.Name()); dir != places && isGone(dir) {
			_ = removeAll(dir)
		}
	}
	_ = atomicfile.WriteFile(note, []byte(root), 0o600)
}

// isGone reports whether the workspace of these places is not there any more, and nobody builds in one of them.
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
