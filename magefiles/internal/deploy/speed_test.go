package deploy

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
)

// BenchmarkSwitch measures the time from a new container's first successful check to the end of the gate, the record and the switch, on an idle
// host. The median should be at most 2 s. `mage fleet` reports it.
func BenchmarkSwitch(b *testing.B) {
	f := startFleet(b, "a")
	f.mustDeploy(f.push("first", behavior{}))
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		var healthy, switched atomic.Int64
		image := f.push(fmt.Sprint(n), behavior{sick: func() bool {
			healthy.CompareAndSwap(0, time.Now().UnixNano())
			return false
		}})
		d := f.deployer()
		d.Times = DefaultTimes
		d.Reporter = before(stepWatch, func() { switched.Store(time.Now().UnixNano()) })
		_, err := d.Deploy(b.Context(), survey.Asked{Image: image})
		require.NoError(b, err)
		took = append(took, time.Duration(switched.Load()-healthy.Load()))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds(), "s/gate-to-switch")
	b.ReportMetric(took[len(took)-1].Seconds(), "s/slowest")
}

// BenchmarkFifty measures a deployment to fifty hosts in batches of ten, and a second run with nothing to do.
func BenchmarkFifty(b *testing.B) {
	var names []string
	for n := range 50 {
		names = append(names, fmt.Sprintf("vm%02d", n+1))
	}
	f := startFleet(b, names...)
	f.env.Batch = config.Batch{Hosts: 10}
	f.mustDeploy(f.push("first", behavior{}))
	for n := 0; b.Loop(); n++ {
		begin := time.Now()
		image := f.push(fmt.Sprint(n), behavior{})
		f.mustDeploy(image)
		b.ReportMetric(time.Since(begin).Seconds(), "s/deployment")
		begin = time.Now()
		nothing, err := f.deploy(image)
		require.NoError(b, err)
		require.Nil(b, nothing)
		b.ReportMetric(time.Since(begin).Seconds(), "s/nothing")
	}
}
