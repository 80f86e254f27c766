package building

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// An interrupted build has no next step.
func TestABuildThatWasStopped(t *testing.T) {
	p := &workspace.Package{Name: "a", Dir: "packages/a"}
	why := errors.New("enough")
	ctx, end := context.WithCancelCause(t.Context())
	end(why)
	err := tellFailure(p, command.NewSystem(nil, nil).Run(ctx, command.Cmd{Name: "python3"}))
	require.ErrorIs(t, err, why)
	require.Empty(t, operr.NextOf(err))

	err = tellFailure(p, &command.ExitError{Name: "python3", Code: 1, Tail: "the last words"})
	require.Equal(t, "the last words", operr.DetailOf(err))
	require.Equal(t, "fix the errors in the lines above, then build the package again", operr.NextOf(err))
}
