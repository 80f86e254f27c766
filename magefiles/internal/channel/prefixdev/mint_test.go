package prefixdev_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
)

// tokens is a CI that issues these ID tokens in order.
type tokens struct {
	given int
	most  int
}

func (*tokens) Name() string { return "a CI" }

func (c *tokens) Token(context.Context, string) (string, error) {
	if c.given >= c.most {
		return "", errors.New("the CI gives no more")
	}
	c.given++
	return fmt.Sprintf("id-%d", c.given), nil
}

// A server accepts each ID token only once, so a retry after a lost response uses a new one.
func TestRetriedMintUsesAnotherIDToken(t *testing.T) {
	for name, lose := range map[string]func(w http.ResponseWriter){
		"reset":         hangUp,
		"a bad gateway": func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) },
		"half an answer": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "pfx-")
		},
	} {
		t.Run(name, func(t *testing.T) {
			taken := map[string]bool{}
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if taken[string(body)] {
					http.Error(w, "it was accepted before", http.StatusUnauthorized)
					return
				}
				if taken[string(body)] = true; len(taken) < 3 {
					lose(w)
					return
				}
				_, _ = io.WriteString(w, "pfx-a-minted-token")
			}))
			defer h.Close()
			c, err := prefixdev.New(prefixdev.Options{Server: h.URL, Wait: (&waits{}).wait})
			require.NoError(t, err)
			got, err := prefixdev.Sources{CI: &tokens{most: 9}}.Credential(t.Context(), c)
			require.NoError(t, err)
			require.True(t, got.Minted)
			require.Len(t, taken, 3)

			clear(taken)
			_, err = prefixdev.Sources{CI: &tokens{most: 1}}.Credential(t.Context(), c)
			require.ErrorContains(t, err, "trusted publishing: the CI gives no more")
		})
	}
}
