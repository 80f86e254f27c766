package image

import (
	"net/http"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// patience is how long nothing may move on a connection to a registry. The slowest answer is that to the manifest of a large
// index, which some registries take seconds to look through.
const patience = time.Minute

// roundTrip is a function as a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// watched gives up a request on which nothing moves any more, the body of its answer included, with httpclient.ErrStalled:
// go-containerregistry has no end to waiting. It is not tried again, since whoever was silent for so long stays so.
func watched(next http.RoundTripper, after time.Duration) http.RoundTripper {
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
