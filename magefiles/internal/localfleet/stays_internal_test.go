package localfleet

import (
	"errors"
	"testing"
	"time"

	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/stretchr/testify/require"
)

// A stay ends when a different image responds, even one that has responded before. Failures are counted per host, starting at its first response.
func TestStays(t *testing.T) {
	at := time.Unix(0, 0)
	failed := errors.New("it was cut")
	var f Fleet
	for n, one := range []struct {
		host, digest string
		err          error
	}{
		{host: "a", err: failed},
		{host: "a", digest: "old"},
		{host: "b", digest: "old"},
		{host: "a"}, // a response from something else
		{host: "a", digest: "new"},
		{host: "a", err: failed},
		{host: "a", digest: "new"},
		{host: "a", digest: "old"},
	} {
		f.note("staging", one.host, one.digest, one.err, at.Add(time.Duration(n)))
	}
	stay := func(host, digest string, from, until time.Duration, answers, failed int) fleet.Stay {
		return fleet.Stay{
			Environment: "staging",
			Host:        host,
			Digest:      digest,
			From:        at.Add(from),
			Until:       at.Add(until),
			Answers:     answers,
			Failed:      failed,
		}
	}
	require.Equal(t, []fleet.Stay{stay("a", "old", 1, 1, 1, 1), stay("b", "old", 2, 2, 1, 0), stay("a", "new", 4, 6, 2, 1), stay("a", "old", 7, 7, 1, 0)}, f.Stays())
}
