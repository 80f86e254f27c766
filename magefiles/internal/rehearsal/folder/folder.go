// Package folder is the folder that a rehearsal works in: one at a time, and nothing that somebody else has put there is swept away.
package folder

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/earlier"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// Temporary is the folder, below that of the rehearsal, for the temporary files of its children (TMPDIR).
const Temporary = "tmp"

// What outlasts a rehearsal in its folder; everything else is swept before and after. (Its report is written behind it.)
const (
	Environments = "environments"
	lockFile     = ".lock"
	ignoreFile   = ".gitignore"
)

// Lock makes the folder and takes it for this process. The kernel gives it back when the process ends, however it does.
func Lock(dir string) (unlock func(), err error) {
	if err := beneath.NoLink(filepath.Dir(dir), filepath.Base(dir)); err != nil {
		return nil, operr.New("remove the link: a rehearsal empties the folder that it works in", "%s cannot be used: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := isOurs(dir); err != nil {
		return nil, err
	}
	if err := atomicfile.MakeIgnored(dir); err != nil {
		return nil, err
	}
	scratch.Spread(dir)
	unlock, _, err = journal.Lock(filepath.Join(dir, lockFile))
	if errors.Is(err, journal.ErrLocked) {
		return nil, operr.NewStopped("wait for it, or stop it", "another rehearsal is under way in %s, %w", dir, err)
	}
	return unlock, err
}

// isOurs refuses a folder that no rehearsal has made: what is in it would be swept away.
func isOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var others []string
	for _, e := range entries {
		switch e.Name() {
		case lockFile:
			return nil
		case ignoreFile, Environments, earlier.Folder, view.ReportPage, view.ReportData: // some of it is there where `clean` was killed
		default:
			others = append(others, e.Name())
		}
	}
	if len(others) == 0 {
		return nil
	}
	return operr.New("move it elsewhere: a rehearsal works in that folder, and empties it", "%s is in %s, and no rehearsal has put it there", others[0], dir)
}

// Sweep removes what one rehearsal writes, and leaves what the next one uses.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case Environments, earlier.Folder, lockFile, ignoreFile:
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
