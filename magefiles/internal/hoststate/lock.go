package hoststate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Holder is who has an environment.
type Holder struct {
	Who   string    `json:"who"`           // a person, or a job
	From  string    `json:"from"`          // a machine
	Run   string    `json:"run,omitempty"` // the address of a job, or what else names the run
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
		text = "somebody unknown"
	}
	return text
}

// Lock is who has an environment, and for how much longer by the host's clock. Once the lease is over anyone may take it.
type Lock struct {
	Fence  int64 // of the last one who took it; it only grows
	Holder *Holder
	Left   time.Duration
}

// Held is the error of an environment that somebody else has.
type Held struct{ Lock }

func (h *Held) Error() string {
	return fmt.Sprintf("%s has it since %s, and for %s more unless the run renews it", h.Holder, h.Holder.Since.UTC().Format(time.RFC3339), h.Left)
}

// Lost is the error of a run that does not have the environment any more.
type Lost struct{ Lock }

func (l *Lost) Error() string {
	if l.Holder == nil {
		return "it was taken from this run, and nobody has it now"
	}
	return fmt.Sprintf("%s has it since %s", l.Holder, l.Holder.Since.UTC().Format(time.RFC3339))
}

// holder reads who it is. What cannot be read is shown as it is: a lock is taken from somebody in any case.
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

func heldError(found sections) error {
	h := &Held{Lock: lockOf(found)}
	if h.Holder == nil {
		h.Holder = &Holder{}
	}
	return operr.New("wait for it with -wait=5m; if nothing runs there any more, `mage deploy:status -unlock` takes it away", "the environment is locked: %w", h)
}

func lostError(found sections) error {
	return operr.New("see `mage deploy:status`: somebody else deploys, or took the lock away", "this run has lost the environment's lock and changes nothing any more: %w", &Lost{Lock: lockOf(found)})
}

// Taken is a lock that was taken.
type Taken struct {
	Fence int64
	From  *Holder // whose lease was over; nil where nobody had it
}

// Take takes an environment for whole seconds. Where somebody has it, the error is a Held.
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
		return Taken{}, errors.New("the host took the lock without a number")
	}
	return t, nil
}

// Renew lets the lease begin again, before a change that only the holder may make. Where the environment was taken by somebody else in the
// meantime, the error is a Lost.
func (s *State) Renew(ctx context.Context, env string, fence int64, lease time.Duration) error {
	_, err := s.call(ctx, nil, "renew", env, number(fence), seconds(lease))
	return err
}

// Release gives the environment back. That it is not ours any more is a Lost.
func (s *State) Release(ctx context.Context, env string, fence int64) error {
	_, err := s.call(ctx, nil, "release", env, number(fence))
	return err
}

// Unlock takes an environment from whoever has it, and gives it to nobody: the run that had it finds that at its next step. nil: nobody had it.
func (s *State) Unlock(ctx context.Context, env string) (*Holder, error) {
	found, err := s.call(ctx, nil, "unlock", env)
	if err != nil || !found.has("from") {
		return nil, err
	}
	return holder(found.one("from")), nil
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// seconds rounds up: a lease is never shorter than was asked for.
func seconds(d time.Duration) string { return number(int64((d + time.Second - 1) / time.Second)) }

func size(text []byte) string { return strconv.Itoa(len(text)) }
