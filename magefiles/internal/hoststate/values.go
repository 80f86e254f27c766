package hoststate

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Seen is the stored state of an environment. Upstreams are reported as stored, even if they were edited manually; "" if the file does not exist.
type Seen struct {
	Lock   Lock
	Up     string            // upstream for requests
	Prev   string            // upstream for pages made by an older release
	Next   string            // upstream at the gate
	Values map[string]string // the caller's values
}

// Look reads an environment's complete state atomically. An environment that has never been written has an empty state.
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

// Set stores a small, non-empty value for the caller.
func (s *State) Set(ctx context.Context, env string, fence int64, name, text string) error {
	if name == "up" || name == "prev" || name == "next" || strings.HasSuffix(name, ".partial") || !Name(name) {
		return operr.New("", "%q is not a valid name of a value", name)
	}
	return s.write(ctx, env, fence, name, text)
}

// SetNext sets the gate's upstream, or None.
func (s *State) SetNext(ctx context.Context, env string, fence int64, upstream string) error {
	return s.upstream(ctx, env, fence, "next", upstream)
}

// SetPrev sets the upstream for pages made by an older release, or None.
func (s *State) SetPrev(ctx context.Context, env string, fence int64, upstream string) error {
	return s.upstream(ctx, env, fence, "prev", upstream)
}

// Switch directs requests to an upstream, or nowhere if it is None. Requests from pages made by the previous upstream still go there, until SetPrev
// is called. Repeating a call with the same upstream is a no-op.
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

func notUpstream(text string) error { return operr.New("", "the upstream %q is not ALIAS:PORT", text) }
