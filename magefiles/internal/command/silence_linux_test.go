package command_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// A child that may prompt, but does not get the terminal, is ended like any other. A background job has a terminal that it cannot lend. The test runs
// itself as a child without a terminal.
func TestAChildWithoutTheTerminalIsEnded(t *testing.T) {
	if os.Getenv("WITHOUT_A_TERMINAL") == "" {
		program, err := os.Executable()
		require.NoError(t, err)
		s := command.NewSystem(append(os.Environ(), "WITHOUT_A_TERMINAL=yes"), nil)
		require.NoError(t, s.Run(t.Context(), command.Cmd{
			Name:   program,
			Args:   []string{"-test.run=^" + t.Name() + "$"},
			Env:    s.Environ(),
			Theirs: true,
		}))
		return
	}
	s := command.NewSystem(os.Environ(), nil)
	s.At(command.Terminal{})
	s.Watch(command.Silence{End: 300 * time.Millisecond, Set: "SILENCE=2h"})
	err := s.Run(t.Context(), command.Cmd{Name: "sleep", Args: []string{"600"}, Asks: true, Theirs: true})
	require.ErrorContains(t, err, "has printed nothing for 300ms, and was stopped")
}
