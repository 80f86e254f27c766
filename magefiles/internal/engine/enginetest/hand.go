package enginetest

import (
	"context"
	"net"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
)

// PlainClient returns a client for calls that users make, but not this program. It is closed when the test ends.
func PlainClient(t testing.TB, dial engine.Dialer) *client.Client {
	t.Helper()
	c, err := client.New(client.WithHost("unix:///engine"), client.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Rename renames a container, like a user.
func Rename(t testing.TB, dial engine.Dialer, container, name string) {
	t.Helper()
	_, err := PlainClient(t, dial).ContainerRename(t.Context(), container, client.ContainerRenameOptions{NewName: name})
	require.NoError(t, err)
}
