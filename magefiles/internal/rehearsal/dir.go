package rehearsal

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// TemporaryDir is the folder, below that of the rehearsal, for the temporary files of its children (TMPDIR).
const TemporaryDir = "tmp"

// What outlasts a rehearsal in its folder; everything else is swept before and after. (Its report is written behind it.)
const (
	environmentsDir = "environments"
	lockFile        = ".lock"
	ignoreFile      = ".gitignore"
)

// lock makes the folder and takes it for this process. The kernel gives it back when the process ends, however it does.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, ignoreFile), []byte("*\n"), 0o644); err != nil {
		return nil, err
	}
	unlock, _, err = journal.Lock(filepath.Join(dir, lockFile))
	if errors.Is(err, journal.ErrLocked) {
		return nil, operr.NewStopped("wait for it, or stop it", "another rehearsal is under way in %s, %w", dir, err)
	}
	return unlock, err
}

// sweep removes what one rehearsal writes.
func (r *run) sweep() error {
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case environmentsDir, releasedDir, lockFile, ignoreFile:
			continue
		}
		if err := os.RemoveAll(filepath.Join(r.Dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
