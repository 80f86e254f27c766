package survey

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
)

// Twenty hosts in two environments are queried concurrently, so status takes only as long as the slowest one.
func TestHostsAreQueriedConcurrently(t *testing.T) {
	const hosts = 20
	var all sync.WaitGroup
	all.Add(hosts)
	together := make(chan struct{})
	go func() {
		all.Wait()
		close(together)
	}()
	var fleets []*Fleet
	for n := range 2 {
		f := &Fleet{App: "app", Environment: config.Environment{Name: fmt.Sprint(n)}}
		for host := range hosts / 2 {
			f.Environment.Hosts = append(f.Environment.Hosts, fmt.Sprintf("vm%d", host))
		}
		f.Open = func(context.Context, string) (*Machine, error) {
			all.Done()
			select {
			case <-together:
				return nil, errors.New("asked with all others")
			case <-time.After(time.Minute):
				return nil, errors.New("asked alone")
			}
		}
		fleets = append(fleets, f)
	}
	for n, looked := range LookAll(t.Context(), fleets, 0) {
		require.Len(t, looked, hosts/2)
		for host, h := range looked {
			require.Equal(t, fleets[n].Environment.Hosts[host], h.Name)
			require.Equal(t, "asked with all others", h.Trouble)
		}
	}
}
