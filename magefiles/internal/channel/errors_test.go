package channel_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
)

// For each kind of error, the client's error is the same as the server's.
func TestClientAndServerHaveTheSameErrors(t *testing.T) {
	for _, kind := range []error{
		channel.ErrMalformed, channel.ErrUnauthorized, channel.ErrForbidden, channel.ErrNotFound, channel.ErrExists,
		channel.ErrTooLarge, channel.ErrInvalid, channel.ErrUnavailable,
	} {
		err := fmt.Errorf("putting it: %w", channel.Errorf(kind, "a sentence about %d", 1))
		require.Equal(t, "putting it: a sentence about 1", err.Error())
		require.Equal(t, kind, channel.OfStatus(channel.Status(err)))
	}
	require.Equal(t, 200, channel.Status(nil))
	require.Equal(t, 500, channel.Status(errors.New("disk full")))
	require.Equal(t, 409, channel.Status(&channel.ExistsError{}))
}

func TestStatusesOfTheProtocol(t *testing.T) {
	for _, status := range []int{200, 201, 204} {
		require.NoError(t, channel.OfStatus(status))
	}
	for _, status := range []int{405, 408, 415, 418, 429, 500, 502, 503, 504} {
		require.Equal(t, channel.ErrUnavailable, channel.OfStatus(status), status)
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		require.Equal(t, channel.ErrMalformed, channel.OfStatus(status), status)
	}
}

func TestNamesOfChannels(t *testing.T) {
	for _, good := range []string{"demo", "conda-forge", "A1", "a.b_c"} {
		require.NoError(t, channel.CheckName(good))
	}
	for _, bad := range []string{"", ".", "..", "-a", "a/b", "a b", "api", "t", "é"} {
		require.ErrorIs(t, channel.CheckName(bad), channel.ErrMalformed, bad)
	}
}
