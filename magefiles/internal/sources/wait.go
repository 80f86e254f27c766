package sources

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// wait takes a place for this build alone. Where another one has it, that is said once, and waited for.
func (s *Sources) wait(ctx context.Context, place string) (unlock func(), err error) {
	for told := false; ; told = true {
		unlock, _, err := journal.Lock(filepath.Join(place, "lock"))
		switch {
		case err == nil:
			return unlock, nil
		case !errors.Is(err, journal.ErrLocked):
			return nil, operr.New("make it writable, or set XDG_CACHE_HOME to a folder that is, on a disk of this machine", "%s is where sources are put for a build: %w", place, err)
		case !told && s.Tell != nil:
			s.Tell("waiting for another build in %s, %v", place, err)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
