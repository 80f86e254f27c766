package survey

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/engine"
)

// A watch covers two HEALTHCHECK intervals of the image, but not hours.
func TestDurationOfAWatch(t *testing.T) {
	for _, c := range []struct {
		watch, interval, want time.Duration
		noted                 bool
	}{
		{watch: 30 * time.Second, want: 30 * time.Second},
		{watch: 30 * time.Second, interval: 10 * time.Second, want: 30 * time.Second},
		{watch: 30 * time.Second, interval: time.Minute, want: 2 * time.Minute},
		{watch: 30 * time.Second, interval: 5 * time.Minute, want: 10 * time.Minute},
		{watch: 30 * time.Second, interval: time.Hour, want: 10 * time.Minute, noted: true},
		{watch: 30 * time.Minute, interval: time.Hour, want: 30 * time.Minute, noted: true},
		{watch: 3 * time.Hour, interval: time.Hour, want: 3 * time.Hour},
	} {
		long, note := WatchOf(config.Environment{Watch: c.watch}, c.interval)
		require.Equal(t, c.want, long, c)
		require.Equal(t, c.noted, note != "", c)
	}
	require.Zero(t, IntervalOf(engine.Image{}))
	require.Equal(t, 30*time.Second, IntervalOf(engine.Image{Health: &engine.HealthCheck{}}), "the engine's own")
	require.Equal(t, time.Hour, IntervalOf(engine.Image{Health: &engine.HealthCheck{Interval: time.Hour}}))
}
