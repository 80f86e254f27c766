package targets

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Whole seconds are a time. Milliseconds would be a year of five digits, and what only begins with a number another time.
func TestSourceDateEpoch(t *testing.T) {
	for text, want := range map[string]string{
		"0": "1970-01-01T00:00:00Z", "1767323046": "2026-01-02T03:04:06Z", " 1767323046\n": "2026-01-02T03:04:06Z", "253402300799": "9999-12-31T23:59:59Z",
	} {
		t.Setenv("SOURCE_DATE_EPOCH", text)
		got, err := epoch()
		require.NoError(t, err)
		require.Equal(t, want, got.Format("2006-01-02T15:04:05Z07:00"), text)
	}
	for text, want := range map[string]string{
		"1767323046000": "is after the year 9999: seconds are meant", "253402300800": "is after the year 9999", "1e9": "is not a time", "1767323046.5": "is not a time",
		"-1": "is not a time", "2026-01-02": "is not a time", "1767323046 x": "is not a time", "99999999999999999999": "is not a time", "0x10": "is not a time",
	} {
		t.Setenv("SOURCE_DATE_EPOCH", text)
		_, err := epoch()
		require.ErrorContains(t, err, want, text)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
}
