package httpclient_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

func TestTokenIsNotShown(t *testing.T) {
	token := httpclient.Token("secret")
	text, err := json.Marshal(map[string]any{"t": token})
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(token), fmt.Sprintf("%s %q %x %#v %d", token, token, token, token, token), string(text)} {
		require.NotContains(t, shown, "secret")
		require.NotContains(t, shown, "736563726574")
	}
	require.Equal(t, "(none)", fmt.Sprint(httpclient.Token("")))
}

func TestTokenDestinations(t *testing.T) {
	for server, ok := range map[string]bool{
		"https://a.example": true, "http://a.example": false, "http://127.0.0.1:8": true, "http://[::1]:8": true, "http://localhost": true,
		"http://127.0.0.1.example": false, "http://localhost.example": false,
	} {
		u, err := url.Parse(server)
		require.NoError(t, err)
		require.Equal(t, ok, httpclient.Token("a-long-token").CheckFor(u) == nil, server)
		require.Equal(t, ok && httpclient.Loopback(u.Hostname()), httpclient.Token("short").CheckFor(u) == nil, server)
		require.NoError(t, httpclient.Token("").CheckFor(u), "without a token, http is allowed")
		require.ErrorContains(t, httpclient.Token("x\n").CheckFor(&url.URL{Scheme: "https", Host: "a"}), "white space")
	}
}

func TestRetryAfter(t *testing.T) {
	date := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "999999": time.Hour, "soon": 0,
		date.Add(9 * time.Second).Format(http.TimeFormat): 9 * time.Second, date.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		r := &http.Response{Header: http.Header{"Retry-After": {text}, "Date": {date.Format(http.TimeFormat)}}}
		require.Equal(t, want, httpclient.RetryAfter(r), text)
	}
}
