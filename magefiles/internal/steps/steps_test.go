package steps_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/steps"
)

// told records what is shown, and events that happen during steps.
type told struct{ lines []string }

func (t *told) Step(name string, f func() (string, error)) error {
	t.lines = append(t.lines, "begin "+name)
	evidence, err := f()
	t.lines = append(t.lines, fmt.Sprintf("end %s: %s, %v", name, evidence, err != nil))
	return err
}

func (t *told) step(name string) steps.Step {
	return steps.Step{
		Name: name,
		Do:   func(context.Context) (string, error) { return "did " + name, nil },
	}
}

// Questions are asked between steps. When is called after all previous steps are done.
func TestStepOrder(t *testing.T) {
	shown, wanted := &told{}, false
	decide := shown.step("decide")
	decide.Do = func(context.Context) (string, error) { wanted = true; return "wanted", nil }
	upload, never := shown.step("upload"), shown.step("never")
	upload.When = func() bool { return wanted }
	upload.Ask = func(context.Context) error { shown.lines = append(shown.lines, "asked"); return nil }
	never.When = func() bool { return !wanted }
	never.Ask = func(context.Context) error { t.Error("it is not for this run"); return nil }
	require.NoError(t, steps.Run(t.Context(), shown, decide, upload, never, shown.step("see")))
	require.Equal(t, []string{
		"begin decide", "end decide: wanted, false", "asked", "begin upload", "end upload: did upload, false", "begin see", "end see: did see, false",
	}, shown.lines)
	require.NoError(t, steps.Run(t.Context(), shown))
}

// An error ends the list before the next step, and is returned unchanged.
func TestWhatEndsAList(t *testing.T) {
	no := errors.New("a reason")
	for name, c := range map[string]struct {
		of    func(s *steps.Step, end context.CancelCauseFunc)
		begun bool // whether the step was started
	}{
		"a step fails": {
			begun: true,
			of: func(s *steps.Step, _ context.CancelCauseFunc) {
				s.Do = func(context.Context) (string, error) { return "", no }
			},
		},
		"a person says no": {of: func(s *steps.Step, _ context.CancelCauseFunc) {
			s.Ask = func(context.Context) error { return no }
		}},
		"the context ends while a step comes to its end": {
			begun: true,
			of: func(s *steps.Step, end context.CancelCauseFunc) {
				s.Do = func(context.Context) (string, error) { end(no); return "done", nil }
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, end := context.WithCancelCause(t.Context())
			defer end(nil)
			shown := &told{}
			s := shown.step("one")
			c.of(&s, end)
			require.Same(t, no, steps.Run(ctx, shown, s, shown.step("two")))
			require.Equal(t, c.begun, len(shown.lines) == 2)
			require.NotContains(t, shown.lines, "begin two")
		})
	}
}

// A panic in a step is returned as an error with a stack trace, so that deferred cleanup still runs.
func TestAPanicIsAFailedStep(t *testing.T) {
	shown := &told{}
	s := shown.step("one")
	s.Do = func(context.Context) (string, error) { panic("out of reach") }
	err := steps.Run(t.Context(), shown, s, shown.step("two"))
	require.ErrorContains(t, err, "the program panicked: out of reach")
	require.Contains(t, operr.DetailOf(err), "TestAPanicIsAFailedStep")
	require.Equal(t, []string{"begin one", "end one: , true"}, shown.lines)
}
