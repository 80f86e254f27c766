package enginetest

import (
	"context"
	"net"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
)

// ByHand is a client of an engine as a person has one beside us, who does what we do not. It is closed with the test.
func ByHand(t testing.TB, dial engine.Dialer) *client.Client {
	t.Helper()
	c, err := client.New(client.WithHost("unix:///engine"), client.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Rename gives a container another name, by hand.
func Rename(t testing.TB, dial engine.Dialer, container, name string) {
	t.Helper()
	_, err := ByHand(t, dial).ContainerRename(t.Context(), container, client.ContainerRenameOptions{NewName: name})
	require.NoError(t, err)
}
