package sources

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// wait takes a place for this build alone. Where another one has it, that is said, and waited for.
func (s *Sources) wait(ctx context.Context, place string) (unlock func(), err error) {
	w := pause.Wait{
		What:  "another build in " + place,
		First: 100 * time.Millisecond,
		Tell:  s.Waiting,
	}
	_, err = w.Until(ctx, func(context.Context) (pause.Seen, error) {
		var err error
		unlock, _, err = journal.Lock(filepath.Join(place, "lock"))
		switch {
		case errors.Is(err, journal.ErrLocked):
			return pause.Seen{Says: err.Error(), Held: true}, nil
		case err != nil:
			return pause.Seen{}, operr.New("make it writable, or set XDG_CACHE_HOME to a folder that is, on a disk of this machine", "%s is where sources are put for a build: %w", place, err)
		}
		return pause.Seen{Done: true}, nil
	})
	return unlock, err
}
