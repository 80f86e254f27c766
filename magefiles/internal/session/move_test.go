package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/session/sessiontest"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// move is a plan that moves a release line to another channel. It has what the Example lacks: a step with several requests, a step whose effect
// cannot be observed, and a command line that may ask for another plan than the unfinished one.
type move struct {
	ID       string // key by which the webhook recognizes the move
	From, To string
	Files    []string
}

func (m *move) Label() string { return m.From + "/" + m.To }

const stepCopy, stepTell, stepDelete = "copy", "tell", "delete"

// shelves is a fake of a server with channels, each of which is a folder, and of a webhook.
type shelves struct {
	URL, dir string

	mu   sync.Mutex
	told map[string]bool // by ID; false if undone
	left int             // number of requests to answer; negative for all
}

func startShelves(t *testing.T) *shelves {
	s := &shelves{dir: t.TempDir(), told: map[string]bool{}, left: -1}
	for _, name := range []string{"a-1.conda", "b-1.conda"} {
		s.put(t, "beta", name)
	}
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "stable"), 0o755))
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.URL = web.URL
	return s
}

func (s *shelves) put(t *testing.T, channel, name string) {
	require.NoError(t, os.MkdirAll(filepath.Join(s.dir, channel), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, channel, name), []byte(name), 0o644))
}

func (s *shelves) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		http.Error(w, "it is gone", http.StatusServiceUnavailable)
		return
	}
	s.left--
	if id, hook := strings.CutPrefix(r.URL.Path, "/hook/"); hook {
		s.told[id] = r.Method == http.MethodPost
		return
	}
	path := filepath.Join(s.dir, filepath.FromSlash(r.URL.Path))
	var err error
	switch r.Method {
	case http.MethodPut:
		data, _ := io.ReadAll(r.Body)
		err = os.WriteFile(path, data, 0o644)
	case http.MethodDelete:
		err = os.Remove(path)
	default:
		http.ServeFile(w, r, path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (s *shelves) breakAfter(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = n
}

// `is` returns the files in each channel, and what the webhook has received.
func (s *shelves) is(t *testing.T) string {
	var all []string
	for _, channel := range []string{"beta", "stable"} {
		files, err := os.ReadDir(filepath.Join(s.dir, channel))
		require.NoError(t, err)
		for _, f := range files {
			all = append(all, channel+"/"+f.Name())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(strings.Join(all, " "), " ", s.told)
}

const (
	asBefore  = "beta/a-1.conda beta/b-1.conda map[]"
	asMoved   = "stable/a-1.conda stable/b-1.conda map[1:true]"
	asUnmoved = "beta/a-1.conda beta/b-1.conda map[1:false]"
)

func (s *shelves) has(ctx context.Context, channel, name string) (bool, error) {
	_, there, err := ask(ctx, http.MethodGet, s.URL+"/"+channel+"/"+name, "")
	return there, err
}

// copyOne copies a file unless it already exists.
func (s *shelves) copyOne(ctx context.Context, from, to, name string) error {
	if there, err := s.has(ctx, to, name); there || err != nil {
		return err
	}
	data, there, err := ask(ctx, http.MethodGet, s.URL+"/"+from+"/"+name, "")
	if err == nil && !there {
		err = operr.NewStopped("look where it is", "%s is neither in %s nor in %s", name, from, to)
	}
	if err == nil {
		_, _, err = ask(ctx, http.MethodPut, s.URL+"/"+to+"/"+name, data)
	}
	return err
}

func each(files []string, f func(name string) error) error {
	for _, name := range files {
		if err := f(name); err != nil {
			return err
		}
	}
	return nil
}

// count returns how many of the files a channel has.
func (s *shelves) count(ctx context.Context, channel string, files []string) (n int, err error) {
	err = each(files, func(name string) error {
		there, err := s.has(ctx, channel, name)
		if there {
			n++
		}
		return err
	})
	return n, err
}

// mover returns an operation that moves the files of beta to another channel.
func mover(state string, s *shelves, to string) *session.Operation[*move] {
	remove := func(ctx context.Context, channel string, files []string) error {
		return each(files, func(name string) error {
			_, _, err := ask(ctx, http.MethodDelete, s.URL+"/"+channel+"/"+name, "")
			return err
		})
	}
	return &session.Operation[*move]{
		Kind: session.Kind[*move]{
			Name: "move",
			Dir:  state,
			Tool: "1.0.0",
			Done: "moved",
			Type: session.Commands{Run: "mage move", Status: "mage move:status", Undo: "mage move:undo"},
		},
		Make: func(ctx context.Context) (*move, error) {
			m := &move{ID: "1", From: "beta", To: to, Files: []string{"a-1.conda", "b-1.conda"}}
			if n, err := s.count(ctx, "beta", m.Files); n == 0 {
				return nil, err // nothing to do
			}
			return m, nil
		},
		Continue: func(_ context.Context, past *session.Past[*move]) error {
			if past.Plan.To != to {
				return operr.NewStopped("`mage move` to "+past.Plan.To+" goes on with it, `mage move:undo` undoes it", "a move to %s is unfinished", past.Plan.To)
			}
			return nil
		},
		Define: func(m *move) *workflow.Definition {
			d := workflow.New()
			workflow.Add(d, workflow.Step[int]{
				Name: stepCopy,
				Check: func(ctx context.Context, _ *int) (int, bool, error) {
					n, err := s.count(ctx, m.To, m.Files)
					return n, n == len(m.Files), err
				},
				Do: func(ctx context.Context) (int, error) {
					return len(m.Files), each(m.Files, func(name string) error { return s.copyOne(ctx, m.From, m.To, name) })
				},
				Say: func(n int) string { return operr.Count(n, "file") },
			})
			workflow.Add(d, workflow.Step[string]{
				Name:  stepTell,
				Check: byRecord[string],
				Do: func(ctx context.Context) (string, error) {
					_, _, err := ask(ctx, http.MethodPost, s.URL+"/hook/"+m.ID, "")
					return m.ID, err
				},
			})
			workflow.Add(d, workflow.Step[int]{
				Name: stepDelete,
				Check: func(ctx context.Context, _ *int) (int, bool, error) {
					n, err := s.count(ctx, m.From, m.Files)
					return n, n == 0, err
				},
				Do: func(ctx context.Context) (int, error) { return 0, remove(ctx, m.From, m.Files) },
			})
			return d
		},
		Revert: func(ctx context.Context, past *session.Past[*move]) error {
			m := past.Plan
			if past.Began(stepDelete) {
				if err := each(m.Files, func(name string) error { return s.copyOne(ctx, m.To, m.From, name) }); err != nil {
					return err
				}
			}
			if past.Began(stepTell) {
				if _, _, err := ask(ctx, http.MethodDelete, s.URL+"/hook/"+m.ID, ""); err != nil {
					return err
				}
			}
			if past.Began(stepCopy) {
				return remove(ctx, m.To, m.Files)
			}
			return nil
		},
	}
}

func TestMoveKilledAtEachPoint(t *testing.T) {
	sessiontest.CheckKills(t, func(t *testing.T) sessiontest.Site[*move] {
		s, state := startShelves(t), t.TempDir()
		return sessiontest.Site[*move]{
			Operation: func() *session.Operation[*move] { return mover(state, s, "stable") },
			Done:      func(t *testing.T) { require.Equal(t, asMoved, s.is(t)) },
			Undone:    func(t *testing.T) { require.Contains(t, []string{asBefore, asUnmoved}, s.is(t)) },
			Break:     s.breakAfter,
		}
	})
}

// interrupted returns a move that was killed when its journal had the given number of entries.
func interrupted(t *testing.T, entries int) (state string, s *shelves) {
	s, state = startShelves(t), t.TempDir()
	o := mover(state, s, "stable")
	killed := errors.New("killed")
	o.Written = func(n int) error {
		if n == entries {
			return killed
		}
		return nil
	}
	_, err := o.Run(t.Context())
	require.ErrorIs(t, err, killed)
	return state, s
}

// A command line that asks for another plan does not resume the unfinished one.
func TestAnotherPlanIsRequested(t *testing.T) {
	for _, entries := range []int{1, 4, 6} {
		state, s := interrupted(t, entries)
		before := s.is(t)
		for _, to := range []string{"archive", "nightly", "beta"} {
			_, err := mover(state, s, to).Run(t.Context())
			require.EqualError(t, err, "a move to stable is unfinished")
			require.Equal(t, operr.Stopped, operr.ExitStatus(err))
			require.Equal(t, before, s.is(t))
		}
		past, err := mover(state, s, "stable").Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, session.End("moved"), past.End)
		require.Equal(t, asMoved, s.is(t))
	}
}

// Steps that were done before an undo do not count as done after it, even if the undo has not ended.
func TestUnfinishedUndo(t *testing.T) {
	panics := func() error { panic("out of shelves") }
	for _, c := range []struct {
		name  string
		fails func() error
		next  string
	}{
		{"a plain error", func() error { return errors.New("no answer") }, "`mage move:undo` continues from here"},
		{"with a next step", func() error { return operr.New("cancel the download", "it is read") }, "cancel the download; then `mage move:undo` continues from here"},
		{"with the other way", func() error { return operr.NewStopped("`mage move` completes it", "it is read").WithWayOn() }, "`mage move` completes it"},
		{"a panic", panics, "report this error, with the lines above: it is a bug in this program; then `mage move:undo` continues from here"},
	} {
		state, s := interrupted(t, 5) // the webhook was called
		o := mover(state, s, "stable")
		whole := o.Revert
		o.Revert = func(ctx context.Context, past *session.Past[*move]) error {
			require.NoError(t, whole(ctx, past))
			past.Plan.Files = nil // changes to its copy of the plan have no effect
			return c.fails()
		}
		_, err := o.Undo(t.Context())
		require.ErrorContains(t, err, "undoing beta/stable: ", c.name)
		require.Equal(t, c.next, operr.NextOf(err), c.name)
		require.Equal(t, asUnmoved, s.is(t), c.name)

		past, standing, err := mover(state, s, "stable").Look(t.Context(), time.Minute)
		require.NoError(t, err)
		require.True(t, past.Undoing, c.name)
		require.True(t, past.Began(stepTell), "the journal still has the start of the step: %s", c.name)
		for _, one := range standing[:2] {
			require.NotEqual(t, workflow.IsDone, one.World, "%s: %s", c.name, one.Step)
		}

		past, err = mover(state, s, "stable").Run(t.Context())
		require.NoError(t, err, c.name)
		require.False(t, past.Undoing, c.name)
		require.Equal(t, asMoved, s.is(t), c.name)
	}
}

// If there is nothing to do, the user is not asked, and nothing is written.
func TestNothingToDo(t *testing.T) {
	s, state := startShelves(t), t.TempDir()
	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, "beta")))
	o := mover(state, s, "stable")
	o.Confirm = func(context.Context, *move) error { panic("asked") }
	past, err := o.Run(t.Context())
	require.NoError(t, err)
	require.Nil(t, past)
	past, err = o.Last()
	require.NoError(t, err)
	require.Nil(t, past)
}
