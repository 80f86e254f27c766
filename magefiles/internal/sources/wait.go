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

// turns are the builds of this process, by their place: one that has it, or waits for it among other processes, has its value.
var turns sync.Map // of chan struct{}

// wait takes a place for this build alone. Where another process has it, that is said, and waited for. A build of this process is waited for without
// a word: a person sees what this process does.
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

// waitForOthers takes a place among processes.
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
			return pause.Seen{}, operr.New("make it writable, or set XDG_CACHE_HOME to a folder that is, on a disk of this machine", "%s is where sources are put for a build: %w", place, err)
		}
		return pause.Seen{Done: true}, nil
	})
	return unlock, err
}
