package localfleet_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/localbuilder"
	"github.com/foopack/foopack/magefiles/internal/localfleet"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
)

// Each environment's application listens on the port in its own table, and the fleet records what responded on which host, regardless of the order
// in which hosts start.
func TestEachEnvironmentHasItsPort(t *testing.T) {
	all := []config.Environment{
		{Name: "staging", Hosts: []string{"one", "two", "three", "four"}, Port: 80, AppPort: 9000, Health: "/healthz"},
		{Name: "production", Hosts: []string{"five"}, Port: 80, AppPort: 9001, Health: "/healthz", Domain: "app.example.org"},
	}
	r, err := localregistry.Start(t.TempDir(), nil)
	require.NoError(t, err)
	defer r.Close()
	repository := r.Host + "/rehearsal/app"
	digest, err := localbuilder.Push(t.Context(), localbuilder.Image{Repository: repository, Platforms: []string{"linux/arm64", "linux/amd64"}}, "")
	require.NoError(t, err)
	f, err := localfleet.Start(t.TempDir(), "arm64", all)
	require.NoError(t, err)
	defer f.Close()
	var sockets map[string]string
	text, err := os.ReadFile(f.Sockets)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &sockets))
	for _, e := range all {
		client := engine.New(func(ctx context.Context) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", sockets[e.Hosts[0]])
		})
		ref := repository + "@" + digest
		require.Error(t, client.Pull(t.Context(), repository+"@sha256:"+strings.Repeat("1", 64), engine.Login{}))
		require.NoError(t, client.Pull(t.Context(), ref, engine.Login{}))
		id, err := client.Create(t.Context(), engine.Spec{Name: "app", Image: ref, Publish: []engine.Publish{{Port: uint16(e.Port), Target: uint16(e.AppPort)}}})
		require.NoError(t, err)
		require.NoError(t, client.Start(t.Context(), id))
	}
	require.Eventually(t, func() bool { return len(f.Stays()) == 2 }, 10*time.Second, 10*time.Millisecond)
	for _, s := range f.Stays() {
		require.Equal(t, digest, s.Digest)
		require.Contains(t, []string{"staging one", "production five"}, s.Environment+" "+s.Host)
	}
}
