package registry

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// patience is how long nothing may move on a connection to a registry. The slowest answer is that to the manifest of a large
// index, which some registries take seconds to look through.
const patience = time.Minute

// roundTrip is a function as a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const (
	maxAnswer = 64 << 20 // bytes of an answer: go-containerregistry reads some to their end, and we read no layers
	maxPage   = 8 << 20  // bytes of a page of tags
)

// bound gives an error where an answer is longer than any that is read here.
func bound(next http.RoundTripper) http.RoundTripper {
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
		return 0, fmt.Errorf("the registry answers more than %d bytes, which is more than is read", b.most)
	}
	return n, err
}

// watch gives up a request on which nothing moves any more, the body of its answer included, with httpclient.ErrStalled:
// go-containerregistry has no end to waiting. It is not tried again, since whoever was silent for so long stays so.
func watch(next http.RoundTripper, after time.Duration) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		ctx, w := httpclient.NewWatch(r.Context(), after)
		answer, err := next.RoundTrip(r.WithContext(ctx))
		if err != nil {
			err = w.Lost(err)
			w.Stop()
			return nil, err
		}
		answer.Body = w.Body(answer.Body)
		return answer, nil
	})
}
