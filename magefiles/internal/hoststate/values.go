package hoststate

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Seen is what a host keeps of one environment. Upstreams are as they are on the disk, also where somebody has written them by hand: "" where
// there is no file.
type Seen struct {
	Lock   Lock
	Up     string            // where requests go
	Prev   string            // where pages that an older release made still go
	Next   string            // what is asked at the gate
	Values map[string]string // the caller's
}

// Look reads what is kept of an environment, all at one moment. One that never was has nothing.
func (s *State) Look(ctx context.Context, env string) (Seen, error) {
	found, err := s.call(ctx, nil, "look", env)
	if err != nil {
		return Seen{}, err
	}
	seen := Seen{
		Lock:   lockOf(found),
		Up:     strings.TrimSuffix(found.one("up"), "\n"),
		Prev:   strings.TrimSuffix(found.one("prev"), "\n"),
		Next:   strings.TrimSuffix(found.one("next"), "\n"),
		Values: map[string]string{},
	}
	for _, f := range found {
		if name, ok := strings.CutPrefix(f.name, "value."); ok {
			seen.Values[name] = f.text
		}
	}
	return seen, nil
}

// Set keeps a small value of the caller's, which is not empty, under a name of the caller's.
func (s *State) Set(ctx context.Context, env string, fence int64, name, text string) error {
	if name == "up" || name == "prev" || name == "next" || strings.HasSuffix(name, ".partial") || !Name(name) {
		return operr.New("", "%q is no name of a value", name)
	}
	return s.write(ctx, env, fence, name, text)
}

// SetNext says what is asked at the gate: an upstream, or None.
func (s *State) SetNext(ctx context.Context, env string, fence int64, upstream string) error {
	return s.upstream(ctx, env, fence, "next", upstream)
}

// SetPrev says where pages go that an older release made: an upstream, or None.
func (s *State) SetPrev(ctx context.Context, env string, fence int64, upstream string) error {
	return s.upstream(ctx, env, fence, "prev", upstream)
}

// Switch lets requests go to an upstream, or with None nowhere. Pages of the one before keep going there, until SetPrev. Done twice it is done once.
func (s *State) Switch(ctx context.Context, env string, fence int64, upstream string) error {
	if upstream != None && !Upstream(upstream) {
		return notUpstream(upstream)
	}
	_, err := s.call(ctx, []byte(upstream), "switch", env, number(fence), size([]byte(upstream)))
	return err
}

func (s *State) upstream(ctx context.Context, env string, fence int64, name, upstream string) error {
	if upstream != None && !Upstream(upstream) {
		return notUpstream(upstream)
	}
	return s.write(ctx, env, fence, name, upstream)
}

func (s *State) write(ctx context.Context, env string, fence int64, name, text string) error {
	if strings.ContainsRune(text, 0) {
		return operr.New("", "%s has a NUL byte", name)
	}
	_, err := s.call(ctx, []byte(text), "write", env, number(fence), name, size([]byte(text)))
	return err
}

func notUpstream(text string) error { return operr.New("", "%q is not ALIAS:PORT", text) }
