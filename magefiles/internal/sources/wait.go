package sources

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// turns maps each build folder to a channel of capacity 1 that serves as a lock within this process. It is held while a build uses the folder, or
// waits for other processes.
var turns sync.Map // of chan struct{}

// wait acquires a build folder. If another process uses it, wait prints a message. If a build in this process uses it, wait prints nothing, because
// the user can see that build.
func (s *Sources) wait(ctx context.Context, place string) (unlock func(), err error) {
	turn, _ := turns.LoadOrStore(place, make(chan struct{}, 1))
	select {
	case turn.(chan struct{}) <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	over := func() { <-turn.(chan struct{}) }
	free, err := s.waitForOthers(ctx, place)
	if err != nil {
		over()
		return nil, err
	}
	return sync.OnceFunc(func() {
		free()
		over()
	}), nil
}

// waitForOthers waits until no other process uses a build folder, and locks it.
func (s *Sources) waitForOthers(ctx context.Context, place string) (unlock func(), err error) {
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
			return pause.Seen{}, operr.New("make this folder writable, or set XDG_CACHE_HOME to a writable folder on a disk of this machine", "a build cannot copy its sources to the folder %s: %w", place, err)
		}
		return pause.Seen{Done: true}, nil
	})
	return unlock, err
}
