package e2e_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/faults"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
)

// `mage kills` raises the number of kills.
var (
	kills     = flag.Int("kills", 20, "how often a release is killed at a random moment")
	realKills = flag.Int("realkills", 0, "how many more of them build with the real toolchain")
	killSeed  = flag.Uint64("killseed", 0, "seed of the random moments; 0 takes one of the clock")
	seeds     = flag.Int("seeds", 4, "how many seeds of random faults a release has to survive")
)

// killed starts a release, kills its whole process group at the given moment, and reports whether the kill came in time.
func (r *releasing) killed(args []string, moment func() bool) bool {
	r.t.Helper()
	x, out := r.start(args...)
	mark := newMark()
	x.Env = append(slices.Clone(x.Env), mark)
	x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(r.t, x.Start())
	done := make(chan struct{})
	go func() {
		_ = x.Wait()
		close(done)
	}()
	for !moment() {
		select {
		case <-done:
			require.Zero(r.t, x.ProcessState.ExitCode(), "%s", out)
			return false
		case <-time.After(200 * time.Microsecond):
		}
	}
	_ = syscall.Kill(-x.Process.Pid, syscall.SIGKILL)
	<-done
	waitFor(r.t, "git and what else it had started to end", func() bool { return len(marked(r.t, mark)) == 0 })
	return true
}

// journalFile returns the path of the journal of the clone's last release, or "" if there is none. The journal of a release that did nothing is
// removed only once the next journal exists, so a kill in between leaves both.
func (r *releasing) journalFile() string {
	files, err := filepath.Glob(filepath.Join(r.dir, ".git", "pixi-release", "releases", "*.jsonl"))
	require.NoError(r.t, err)
	if len(files) == 0 {
		return ""
	}
	return files[len(files)-1] // the names begin with a timestamp
}

func (r *releasing) journalLines() int {
	if r.journalFile() == "" {
		return 0
	}
	data, _ := os.ReadFile(r.journalFile())
	return bytes.Count(data, []byte("\n"))
}

// ended reports whether the clone's last release has ended.
func (r *releasing) ended() bool {
	past, err := trace.Last(filepath.Join(r.dir, ".git", "pixi-release"))
	require.NoError(r.t, err)
	return past != nil && past.End != ""
}

// TestReleaseKilledAtEveryBoundary kills a release right after each journal entry and runs the same command again, for a public channel and for a
// private one.
func TestReleaseKilledAtEveryBoundary(t *testing.T) {
	t.Parallel()
	for _, private := range []bool{false, true} {
		t.Run(map[bool]string{false: "public", true: "private"}[private], func(t *testing.T) {
			t.Parallel()
			killedAtEveryBoundary(t, private)
		})
	}
}

func killedAtEveryBoundary(t *testing.T, private bool) {
	for entries := 1; ; entries++ {
		o := releaseOptions{by: []string{"ci", "here"}[entries%2]}
		if private {
			o.private = accesses[1+entries/2%2]
		}
		r := newReleasing(t, o)
		if !r.killed([]string{"release", "-to=patch", "-yes"}, func() bool { return r.journalLines() >= entries }) {
			require.Greater(t, entries, 20, "there are that many entries at least")
			r.released("0.1.7")
			break
		}
		if !r.ended() {
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.7 is released")
		}
		r.released("0.1.7")
	}
}

// TestReleaseKilledAtRandom kills a release at random moments, sometimes twice, and continues it in the same clone or in one that has no record of
// it.
func TestReleaseKilledAtRandom(t *testing.T) {
	t.Parallel()
	seed := *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-killseed=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	how := map[string]int{}
	for round := range *kills + *realKills {
		r := newReleasing(t, releaseOptions{by: []string{"ci", "here"}[random.IntN(2)], real: round >= *kills, private: accesses[random.IntN(len(accesses))]})
		for range 1 + random.IntN(2) {
			after, more := random.IntN(22), time.Duration(random.IntN(60))*time.Millisecond
			if round >= *kills {
				more *= 20
			}
			var seen time.Time
			if r.ended() || !r.killed([]string{"release", "-to=0.1.7", "-yes"}, func() bool {
				if seen.IsZero() && r.journalLines() >= after {
					seen = time.Now()
				}
				return !seen.IsZero() && time.Since(seen) > more
			}) {
				break
			}
			how["killed"]++
			if random.IntN(3) == 0 {
				r.dir = r.newClone()
				how["second clone"]++
			}
		}
		if out := r.ok("release", "-to=0.1.7", "-yes"); !r.ended() {
			require.Contains(t, out, "v0.1.7 is released")
			how["done before"]++ // the other clone completed the release and recorded that in its journal
			continue
		}
		r.released("0.1.7")
	}
	t.Logf("%v", how)
}

// TestReleaseThroughFaults makes external calls fail at random and reruns the release until it is complete.
func TestReleaseThroughFaults(t *testing.T) {
	t.Parallel()
	for n := range uint64(*seeds + *seeds/2) {
		seed, private := n, login("")
		if n >= uint64(*seeds) {
			seed -= uint64(*seeds)
			private = accesses[1+seed%2]
		}
		t.Run(fmt.Sprintf("%d%s", seed+1, map[bool]string{true: ", private"}[private != ""]), func(t *testing.T) {
			t.Parallel()
			dice := faults.New(seed+1, 0.25)
			r := newReleasing(t, releaseOptions{by: []string{"ci", "here"}[seed%2], dice: dice, reruns: 30, private: private})
			runs, out := 0, ""
			for status := -1; status != 0; runs++ {
				if runs >= 60 {
					for _, job := range r.world.Jobs() {
						t.Logf("%+v\n%s", job, job.Log)
					}
					require.Fail(t, "a release that does not come through", "%s", out)
				}
				out, status = r.mage("release", "-to=0.1.7", "-yes")
				require.NotContains(t, out, "panic")
			}
			dice.Rests.Store(true)
			r.released("0.1.7")
			t.Logf("through after %d runs", runs)
		})
	}
}
