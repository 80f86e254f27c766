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

// A build that was stopped has shown nothing that is to be fixed.
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
	require.Equal(t, "fix what the lines above show, then build again", operr.NextOf(err))
}
