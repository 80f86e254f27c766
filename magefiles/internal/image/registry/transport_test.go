package registry

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// A request fails if a registry accepts the connection but does not respond, or stalls in the middle of a response.
func TestStalledRequestFails(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // nothing calls Accept, but the kernel completes the connections
	require.NoError(t, err)
	defer silent.Close()
	halting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		_, _ = io.WriteString(w, `{"tags":`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer halting.Close()
	for _, host := range []string{silent.Addr().String(), strings.TrimPrefix(halting.URL, "http://")} {
		r := &Registry{Patience: 500 * time.Millisecond}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, tags := r.Tags(ctx, host+"/a/b")
		_, read := r.Read(ctx, host+"/a/b:1")
		require.NoError(t, ctx.Err(), "the request ends soon, and is not retried")
		cancel()
		for _, err := range []error{tags, read} {
			require.ErrorIs(t, err, httpclient.ErrStalled)
			require.ErrorContains(t, err, ": the registry accepted the connection, but sent no more data")
			require.Contains(t, fmt.Sprintf("%+v", err), "→ check that the registry works, and any proxy in front of the registry; then run the same command again: nothing is lost")
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	_, err = (&Registry{}).Tags(ctx, silent.Addr().String()+"/a/b")
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, httpclient.ErrStalled, "Ctrl-C is no stall")
}
