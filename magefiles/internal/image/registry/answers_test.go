package registry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// Each error response of a registry, or of a server in front of it, gets its own cause and next step, depending on the request and on which server
// responded.
func TestErrorResponsesAreDistinguished(t *testing.T) {
	const html = "<html><body>nginx</body></html>"
	for _, c := range []struct {
		method     string
		status     int
		body       string
		says, next string
	}{
		{"PUT", 413, html, "the upload is too large for the registry, or for a proxy before it (413)", "client_max_body_size"},
		{"PUT", 413, `{"errors":[{"code":"SIZE_INVALID","message":"manifest too large"}]}`, "(413)", "size limit for uploads"},
		{"PUT", 413, `{"errors":[{"code":"DENIED","message":"quota exceeded"}]}`, "has no room for the image, because its quota is used up (413)", "higher quota"},
		{"PUT", 403, `{"errors":[{"code":"DENIED","message":"adding 2.0 KiB of storage resource, which when updated will exceed the configured upper limit of 1.0 GiB"}]}`, "has no room for the image, because its quota is used up (403)", "remove old images"},
		{"PUT", 412, `{"errors":[{"code":"PRECONDITION","message":"the quota of the project is used up"}]}`, "has no room for the image, because its quota is used up (412)", "remove old images"},
		{"PUT", 503, `{"errors":[{"code":"UNKNOWN","message":"the service of quotas does not answer"}]}`, "the registry failed (503)", "run the same command again"},
		{"PUT", 507, "", "has no room for the image, because its quota is used up (507)", "remove old images"},
		{"PUT", 415, html, "does not accept an index of images with attestations (415)", "OCI image indexes"},
		{"PUT", 400, `{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid"}]}`, "does not accept an index of images with attestations (400)", "update the registry"},
		{"PUT", 403, `{"errors":[{"code":"DENIED","message":"no"}]}`, "the registry refused the request (403)", "`packages: write`"},
		{"PUT", 401, "", "the registry refused the request (401)", "`packages: write`"},
		{"GET", 403, `{"errors":[{"code":"DENIED","message":"no"}]}`, "the registry refused the request (403)", "`packages: read`"},
		{"GET", 401, "", "the registry refused the request (401)", "`packages: read`"},
		{"GET", 403, `{"errors":[{"code":"DENIED","message":"your quota of reads"}]}`, "the registry refused the request (403)", "log in"},
		{"GET", 415, "", "the registry refused the request (415)", "look for the reason in the answer above"},
		{"PUT", 422, "", "the registry refused the request (422)", "look for the reason in the answer above"},
	} {
		t.Run(fmt.Sprint(c.method, c.status, c.says), func(t *testing.T) {
			s := imagetest.NewShop(t)
			repository := s.Host + "/someone/theapp"
			digest := s.Put(t, repository, nil, "linux/amd64")
			transport := roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Method != c.method || !strings.Contains(r.URL.Path, "/manifests/") {
					return http.DefaultTransport.RoundTrip(r)
				}
				w := httptest.NewRecorder()
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
				answer := w.Result()
				answer.Request = r
				return answer, nil
			})
			err := (&Registry{Transport: transport}).Tag(t.Context(), repository, digest, "1.2.3")
			require.ErrorContains(t, err, c.says)
			require.Contains(t, fmt.Sprintf("%+v", err), "\n→ ")
			require.Contains(t, fmt.Sprintf("%+v", err), c.next)
		})
	}
}

// The error names the server that responded if it is not the registry, such as a token server or a content server.
func TestErrorNamesTheServer(t *testing.T) {
	for _, c := range []struct {
		status     int
		says, next string
	}{
		{403, ", to which the registry refers, refused the request (403)", "`packages: write`"},
		{429, ", to which the registry refers, received too many requests (429)", "wait"},
		{500, ", to which the registry refers, failed (500)", "run the same command again"},
	} {
		transport := roundTrip(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			if r.URL.Host == "auth.example" {
				w.WriteHeader(c.status)
			} else {
				w.Header().Set("WWW-Authenticate", `Bearer realm="https://auth.example/token"`)
				w.WriteHeader(http.StatusUnauthorized)
			}
			answer := w.Result()
			answer.Request = r
			return answer, nil
		})
		err := (&Registry{Transport: transport}).MayPush(t.Context(), "reg.example/a/b")
		require.ErrorContains(t, err, "accepts a push: the server auth.example"+c.says)
		require.Contains(t, fmt.Sprintf("%+v", err), c.next)
	}
}
