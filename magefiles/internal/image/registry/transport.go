package registry

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// patience is how long a connection to a registry may be idle. The slowest response is to the PUT of a large index's manifest, which some
// registries validate for several seconds.
const patience = time.Minute

// roundTrip is a function that implements http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const (
	maxAnswer = 64 << 20 // bytes per response: go-containerregistry reads some responses completely, and we read no layers
	maxPage   = 8 << 20  // bytes per page of tags
)

// limitAnswers returns a transport that fails if a response exceeds the limit.
func limitAnswers(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		answer, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		most := int64(maxAnswer)
		if strings.HasSuffix(r.URL.Path, "/tags/list") {
			most = maxPage
		}
		answer.Body = &boundedBody{ReadCloser: answer.Body, left: most, most: most}
		return answer, nil
	})
}

type boundedBody struct {
	io.ReadCloser
	left, most int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("the answer of the registry is longer than the limit of %d bytes", b.most)
	}
	return n, err
}

// watch returns a transport that aborts a request, or the reading of its response, with httpclient.ErrStalled if no data arrives for too long.
// go-containerregistry alone would wait forever. The request is not retried, because the server is likely to stall again.
func watch(next http.RoundTripper, after time.Duration) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		ctx, w := httpclient.NewWatch(r.Context(), after)
		answer, err := next.RoundTrip(r.WithContext(ctx))
		if err != nil {
			err = w.Explain(err)
			w.Stop()
			return nil, err
		}
		answer.Body = w.Body(answer.Body)
		return answer, nil
	})
}
