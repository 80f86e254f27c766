package hoststate_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/hoststate/hoststatetest"
)

// askers returns states that each have a different HTTP client program.
func askers(t *testing.T) map[string]*hoststate.State {
	all := map[string]*hoststate.State{}
	for name, program := range map[string]string{"wget": "wget", "curl": "curl", "busybox": "wget"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		bin := t.TempDir()
		require.NoError(t, os.Symlink(path, filepath.Join(bin, program)))
		for _, other := range []string{"sh", "timeout", "head"} {
			path, err := exec.LookPath(other)
			require.NoError(t, err)
			require.NoError(t, os.Symlink(path, filepath.Join(bin, other)))
		}
		all[name] = &hoststate.State{
			Runner: hoststatetest.Local{Shell: []string{filepath.Join(bin, "sh")}, Env: []string{"PATH=" + bin}},
			Dir:    t.TempDir(),
		}
	}
	require.NotEmpty(t, all)
	return all
}

func TestAsk(t *testing.T) {
	gone := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Revision", "abc")
		w.Header().Set("X-Host", r.Host)
		fmt.Fprint(w, "{\"revision\": \"abc\"}\n\n")
	})
	mux.HandleFunc("/unwell", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/healthz", http.StatusFound) })
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/silent", func(http.ResponseWriter, *http.Request) { <-gone })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for text := make([]byte, 1<<16); ; {
			if _, err := w.Write(text); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/heads", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		for text := "HTTP/1.1 200 OK\r\n"; err == nil; text = strings.Repeat("X-More: "+strings.Repeat("a", 200)+"\r\n", 100) {
			_, err = conn.Write([]byte(text))
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(gone)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := listener.Addr().String()
	require.NoError(t, listener.Close())

	for name, s := range askers(t) {
		t.Run(name, func(t *testing.T) {
			ask := func(url string, within time.Duration) hoststate.Answer {
				a, err := s.Ask(t.Context(), url, "app.example.org", within)
				require.NoError(t, err)
				return a
			}
			a := ask(server.URL+"/healthz", time.Minute)
			require.Equal(t, 200, a.Status)
			require.Equal(t, "{\"revision\": \"abc\"}\n\n", string(a.Body))
			require.Equal(t, "abc", a.Header.Get("X-Revision"))
			require.Equal(t, "app.example.org", a.Header.Get("X-Host"))
			require.Equal(t, 503, ask(server.URL+"/unwell", time.Minute).Status)
			require.Equal(t, 404, ask(server.URL+"/nothing?x=1", time.Minute).Status)
			a = ask(server.URL+"/moved", time.Minute)
			require.Equal(t, 302, a.Status, "a redirect is not followed")
			require.Empty(t, a.Body)
			a = ask(server.URL+"/empty", time.Minute)
			require.Equal(t, 200, a.Status)
			require.Empty(t, a.Body)
			require.Zero(t, ask(server.URL+"/silent", time.Second).Status)
			require.LessOrEqual(t, len(ask(server.URL+"/endless", time.Minute).Body), 256<<10)
			require.Zero(t, ask("http://"+nobody+"/", time.Minute).Status)
			size := 0
			for _, value := range ask(server.URL+"/heads", 2*time.Second).Header["X-More"] {
				size += len(value)
			}
			require.LessOrEqual(t, size, 64<<10, "an endless head is truncated, too")
		})
	}
}
