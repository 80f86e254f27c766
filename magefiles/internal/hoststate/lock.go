package hoststate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Holder describes the holder of an environment's lock.
type Holder struct {
	Who   string    `json:"who"`           // user or job
	From  string    `json:"from"`          // machine
	Run   string    `json:"run,omitempty"` // a job's URL, or another name for the run
	Since time.Time `json:"since"`
}

func (h Holder) String() string {
	text := h.Who
	if h.From != "" {
		text += " on " + h.From
	}
	if h.Run != "" {
		text += " (" + h.Run + ")"
	}
	if text == "" {
		text = "someone unknown"
	}
	return text
}

// Lock is an environment's lock: its holder, and the remaining time by the host's clock. After the lease has expired, anyone may acquire the lock.
type Lock struct {
	Fence  int64 // fencing token of the last acquisition; only increases
	Holder *Holder
	Left   time.Duration
}

// Held is the error if someone else holds the environment's lock.
type Held struct{ Lock }

func (h *Held) Error() string {
	return fmt.Sprintf("%s has held the lock since %s; the lock expires in %s unless that run renews the lock", h.Holder, h.Holder.Since.UTC().Format(time.RFC3339), columns.Took(h.Left))
}

// Lost is the error if this run no longer holds the environment's lock.
type Lost struct{ Lock }

func (l *Lost) Error() string {
	if l.Holder == nil {
		return "the lock was taken from this run, and nobody has the lock now"
	}
	return fmt.Sprintf("%s has held the lock since %s", l.Holder, l.Holder.Since.UTC().Format(time.RFC3339))
}

// holder parses a Holder. Invalid text becomes its name, because the lock is held in any case.
func holder(text string) *Holder {
	var h Holder
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		return &Holder{Who: fmt.Sprintf("%q", text)}
	}
	return &h
}

func lockOf(found sections) Lock {
	l := Lock{Fence: found.number("fence")}
	if found.has("holder") {
		l.Holder, l.Left = holder(found.one("holder")), time.Duration(found.number("left"))*time.Second
	}
	return l
}

func lockHeldError(found sections) error {
	h := &Held{Lock: lockOf(found)}
	if h.Holder == nil {
		h.Holder = &Holder{}
	}
	return operr.New("wait for the lock with -wait=5m; if the run that holds the lock has ended, remove the lock with `mage deploy:status -unlock`", "the environment is locked: %w", h)
}

func lockLostError(found sections) error {
	return operr.New("run `mage deploy:status`: someone else is deploying, or has removed the lock", "this run has lost the environment's lock, and stopped changing the host: %w", &Lost{Lock: lockOf(found)})
}

// Taken is an acquired lock.
type Taken struct {
	Fence int64
	From  *Holder // previous holder, whose lease had expired; nil if there was none
}

// Take acquires an environment's lock. The lease is rounded up to whole seconds. If someone else holds the lock, the error is a Held.
func (s *State) Take(ctx context.Context, env string, who Holder, lease time.Duration) (Taken, error) {
	line, err := json.Marshal(who)
	if err != nil {
		return Taken{}, err
	}
	found, err := s.call(ctx, line, "take", env, seconds(lease), size(line))
	if err != nil {
		return Taken{}, err
	}
	t := Taken{Fence: found.number("fence")}
	if found.has("from") {
		t.From = holder(found.one("from"))
	}
	if t.Fence == 0 {
		return Taken{}, errors.New("the host took the lock, but returned no number for the lock")
	}
	return t, nil
}

// Renew restarts the lease. It must be called before a change that only the holder may make. If someone else has acquired the lock in the meantime,
// the error is a Lost.
func (s *State) Renew(ctx context.Context, env string, fence int64, lease time.Duration) error {
	_, err := s.call(ctx, nil, "renew", env, number(fence), seconds(lease))
	return err
}

// Release releases an environment's lock. If this run no longer holds it, the error is a Lost.
func (s *State) Release(ctx context.Context, env string, fence int64) error {
	_, err := s.call(ctx, nil, "release", env, number(fence))
	return err
}

// Unlock removes an environment's lock from its holder, who notices at the next step. It returns the holder, or nil if the lock was free.
func (s *State) Unlock(ctx context.Context, env string) (*Holder, error) {
	found, err := s.call(ctx, nil, "unlock", env)
	if err != nil || !found.has("from") {
		return nil, err
	}
	return holder(found.one("from")), nil
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// seconds rounds up to whole seconds, because a lease must not be shorter than requested.
func seconds(d time.Duration) string { return number(int64((d + time.Second - 1) / time.Second)) }

func size(text []byte) string { return strconv.Itoa(len(text)) }
