// Package folder manages the folder of a rehearsal. Only one rehearsal uses it at a time, and files that do not belong to a rehearsal are never
// deleted.
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

// Temporary is the subfolder for temporary files of child processes (TMPDIR).
const Temporary = "tmp"

// These subfolders are kept between rehearsals. All other files are removed before and after a rehearsal. (The report is written after that.)
const (
	Environments = "environments"
	lockFile     = ".lock"
	ignoreFile   = ".gitignore"
)

// Lock creates and locks the folder for this process. The kernel releases the lock when the process ends, even if it is killed.
func Lock(dir string) (unlock func(), err error) {
	if err := beneath.NoLink(filepath.Dir(dir), filepath.Base(dir)); err != nil {
		return nil, operr.New("remove this link, because a rehearsal removes all files in its folder", "cannot use the folder %s: %w", dir, err)
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
		return nil, operr.NewStopped("wait until the other rehearsal has ended, or stop it", "another rehearsal is under way in %s, %w", dir, err)
	}
	return unlock, err
}

// isOurs rejects a folder that no rehearsal has created, because its contents would be deleted.
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
		case ignoreFile, Environments, earlier.Folder, view.ReportPage, view.ReportData: // a killed `clean` may leave some of these
		default:
			others = append(others, e.Name())
		}
	}
	if len(others) == 0 {
		return nil
	}
	return operr.New("move this file to another folder, because a rehearsal removes all files in its folder", "%s is in %s, but is not a file of a rehearsal", others[0], dir)
}

// Sweep removes a rehearsal's files, except those that the next one reuses.
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
