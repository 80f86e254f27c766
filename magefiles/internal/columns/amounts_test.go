package columns

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                       "<0.1s",
		99 * time.Millisecond:                   "<0.1s",
		100 * time.Millisecond:                  "0.1s",
		9940 * time.Millisecond:                 "9.9s",
		9990 * time.Millisecond:                 "10s",
		59400 * time.Millisecond:                "59s",
		59600 * time.Millisecond:                "1m00s",
		125 * time.Second:                       "2m05s",
		59*time.Minute + 59800*time.Millisecond: "1h00m",
		62 * time.Minute:                        "1h02m",
	} {
		require.Equal(t, want, Took(d), d)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 9_454: "9.5 kB", 9_960: "10 kB", 48_499: "48 kB", 999_600: "1.0 MB", 12_345_678: "12 MB", 1_550_000_000: "1.6 GB", 26_000_000_000_000: "26 TB"} {
		require.Equal(t, want, Size(n))
	}
}

func TestDigest(t *testing.T) {
	whole := strings.Repeat("0123456789abcdef", 4)
	require.Equal(t, "0123456789ab", Digest(whole))
	require.Equal(t, "sha256:0123456789ab", Digest("sha256:"+whole))
	require.Equal(t, "sha256:01", Digest("sha256:01"))
	require.Empty(t, Digest(""))
}
