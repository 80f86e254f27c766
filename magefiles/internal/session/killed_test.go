package session_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/session/sessiontest"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// adding is an operation with a single step that writes an x to a file.
type adding struct {
	check  func(file string) func(context.Context, *int) (int, bool, error)
	do     func(file string) error
	revert func(file string, past *session.Past[*rotation]) error
}

func isThere(file string) func(context.Context, *int) (int, bool, error) {
	return func(context.Context, *int) (int, bool, error) {
		_, err := os.Stat(file)
		return 1, err == nil, nil
	}
}

// byRecord is a Check that trusts the record, for effects that cannot be observed.
func byRecord[R any](_ context.Context, recorded *R) (result R, done bool, err error) {
	if recorded == nil {
		return result, false, nil
	}
	return *recorded, true, nil
}

func recorded(string) func(context.Context, *int) (int, bool, error) { return byRecord[int] }

func writeX(file string) error { return os.WriteFile(file, []byte("x"), 0o644) }

func addX(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString("x")
	return errors.Join(err, f.Close())
}

func makeX(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString("x")
	return errors.Join(err, f.Close())
}

func removeAny(file string, _ *session.Past[*rotation]) error { return os.RemoveAll(file) }

// faulty holds operations that do not survive a kill, keyed by their fault.
var faulty = map[string]adding{
	"is done twice":        {recorded, addX, removeAny},
	"is done in every run": {func(string) func(context.Context, *int) (int, bool, error) { return nil }, addX, removeAny},
	"cannot be done twice": {recorded, makeX, removeAny},
	"is not done":          {recorded, func(string) error { return nil }, removeAny},
	"is asked whether it is done": {
		check: isThere,
		do:    writeX,
		revert: func(file string, past *session.Past[*rotation]) error {
			if !past.Did("add") {
				return nil
			}
			return os.RemoveAll(file)
		},
	},
	"cannot be undone twice": {
		check: isThere,
		do:    writeX,
		revert: func(file string, past *session.Past[*rotation]) error {
			if _, err := os.Stat(file); err != nil && !past.Undoing {
				return nil // nothing was done yet
			}
			return os.Remove(file)
		},
	},
	"is not undone": {isThere, writeX, func(string, *session.Past[*rotation]) error { return nil }},
}

func (a adding) killed(t *testing.T) {
	sessiontest.CheckKills(t, func(t *testing.T) sessiontest.Site[*rotation] {
		state, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
		return sessiontest.Site[*rotation]{
			Operation: func() *session.Operation[*rotation] {
				return &session.Operation[*rotation]{
					Kind: session.Kind[*rotation]{Name: "add", Dir: state, Done: "added"},
					Make: func(context.Context) (*rotation, error) { return &rotation{New: "x"}, nil },
					Define: func(*rotation) *workflow.Definition {
						d := workflow.New()
						workflow.Add(d, workflow.Step[int]{
							Name:  "add",
							Check: a.check(file),
							Do:    func(context.Context) (int, error) { return 1, a.do(file) },
						})
						return d
					},
					Revert: func(_ context.Context, past *session.Past[*rotation]) error { return a.revert(file, past) },
				}
			},
			Done: func(t *testing.T) {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				require.Equal(t, "x", string(data))
			},
			Undone: func(t *testing.T) {
				_, err := os.Stat(file)
				require.ErrorIs(t, err, fs.ErrNotExist)
			},
		}
	})
}

// TestHelperThatIsKilled is run by the next test in a separate process.
func TestHelperThatIsKilled(t *testing.T) {
	name, asked := os.LookupEnv("SESSION_TEST_FAULTY")
	switch {
	case !asked:
		adding{isThere, writeX, removeAny}.killed(t)
	default:
		faulty[name].killed(t)
	}
}

// CheckKills must fail for an operation that does not survive a kill, even if only a kill between a step's work and its event shows this.
func TestCheckKillsFindsFaults(t *testing.T) {
	for name := range faulty {
		t.Run("a step that "+name, func(t *testing.T) {
			t.Parallel()
			child := exec.Command(os.Args[0], "-test.run=^TestHelperThatIsKilled$")
			child.Env = append(os.Environ(), "SESSION_TEST_FAULTY="+name)
			out, err := child.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "it passes:\n%s", out)
			require.Contains(t, string(out), "--- FAIL: TestHelperThatIsKilled/")
			require.NotContains(t, string(out), "panic:")
		})
	}
}
