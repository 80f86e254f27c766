package image

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	inmemory "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// commit is a commit in a test history. Its index is part of its name.
type commit struct {
	parents []int
	version string
}

// `past` is a history of commits with their ancestry, but without times.
type past []commit

func revision(n int) string { return fmt.Sprintf("%012x%028d", n+1, 0) }

func (p past) within(n, of int) bool {
	if n == of {
		return true
	}
	for _, parent := range p[of].parents {
		if p.within(n, parent) {
			return true
		}
	}
	return false
}

// history returns the ancestry function of a clone that has only the given commits and their ancestors. Without arguments, the clone has all
// commits.
func (p past) history(newest ...int) History {
	number := map[string]int{}
	for n := range p {
		known := len(newest) == 0
		for _, tip := range newest {
			known = known || p.within(n, tip)
		}
		if known {
			number[revision(n)] = n
		}
	}
	return func(_ context.Context, ours, theirs string) (Order, error) {
		o, here := number[ours]
		t, there := number[theirs]
		switch {
		case !here || !there:
			return Unknown, nil
		case p.within(t, o):
			return Behind, nil
		case p.within(o, t):
			return Ahead, nil
		}
		return Apart, nil
	}
}

// state maps each tag to its commit.
type state map[string]int

// pushed is the oracle: it computes the tags after a single job has pushed commit n, based only on versions and ancestry.
func (p past) pushed(s state, n int) state {
	s = maps.Clone(s)
	exact, moving := listLadder(version.MustParse(p[n].version))
	for _, tag := range append([]string{exact}, moving...) {
		has, there := s[tag]
		order := 1
		if there {
			order = version.MustParse(p[n].version).Compare(version.MustParse(p[has].version))
		}
		if order > 0 || order == 0 && p.within(has, n) {
			s[tag] = n
		}
	}
	return s
}

// yard is an in-process registry whose jobs are controlled by the test.
type yard struct {
	t       *testing.T
	handler http.Handler
	plan    Plan
	past    past
	commits map[string]int // by digest
}

const yardHost = "127.0.0.1:1/someone/theapp"

func newYard(t *testing.T, plan Plan, p past) *yard {
	return &yard{t: t, handler: inmemory.New(inmemory.Logger(log.New(io.Discard, "", 0))), plan: plan, past: p, commits: map[string]int{}}
}

func (y *yard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	y.handler.ServeHTTP(w, r)
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// job returns a job that has already planned against the registry and pushed a commit's image by digest.
func (y *yard) job(n int, h History) *Job {
	p := y.plan
	p.Repository, p.Version, p.Revision, p.version = yardHost, y.past[n].version, revision(n), version.MustParse(y.past[n].version)
	p.Labels = maps.Clone(p.Labels)
	p.Labels[labelVersion], p.Labels[labelRevision] = p.Version, p.Revision
	c, err := empty.Image.ConfigFile()
	require.NoError(y.t, err)
	c = c.DeepCopy()
	c.Config.Labels = p.Labels
	img, err := mutate.ConfigFile(empty.Image, c)
	require.NoError(y.t, err)
	digest, err := img.Digest()
	require.NoError(y.t, err)
	ref, err := name.NewDigest(yardHost + "@" + digest.String())
	require.NoError(y.t, err)
	require.NoError(y.t, remote.Write(ref, img, remote.WithTransport(y)))
	y.commits[digest.String()] = n
	r := &registry.Registry{Transport: y, Shown: imagetest.AtOnce()}
	p.have, err = r.Tags(y.t.Context(), yardHost)
	require.NoError(y.t, err)
	p.held, err = ReadHeld(y.t.Context(), r, yardHost, p.Candidates(), p.have)
	require.NoError(y.t, err)
	require.NoError(y.t, h.Order(y.t.Context(), p.Revision, p.held))
	p.Tags = Ladder(p.version, p.Revision, p.have, p.held)
	return &Job{Plan: &p, Registry: r, History: h, Push: true, Result: Result{Digest: digest.String()}}
}

// tags returns the registry's tags except commit tags. It fails the test if a commit's tag is wrong.
func (y *yard) tags() state {
	r := &registry.Registry{Transport: y}
	all, err := r.Tags(y.t.Context(), yardHost)
	require.NoError(y.t, err)
	s := state{}
	for _, tag := range all {
		digest, err := r.Digest(y.t.Context(), yardHost+":"+tag)
		require.NoError(y.t, err)
		n, known := y.commits[digest]
		require.True(y.t, known)
		if strings.HasPrefix(tag, "sha-") {
			require.Equal(y.t, RevisionTag(revision(n)), tag)
			continue
		}
		s[tag] = n
	}
	return s
}

// runner runs a job that blocks before each PUT of a tag, so that its view of the registry is as stale as possible.
type runner struct {
	y             *yard
	waiting, goOn chan struct{}
	ended         chan error
	over          bool
}

func (r *runner) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Method == http.MethodPut && strings.Contains(q.URL.Path, "/manifests/") {
		r.waiting <- struct{}{}
		<-r.goOn
	}
	return r.y.RoundTrip(q)
}

func (y *yard) start(j *Job) *runner {
	r := &runner{y: y, waiting: make(chan struct{}), goOn: make(chan struct{}), ended: make(chan error, 1)}
	j.Registry = &registry.Registry{Transport: r}
	go func() {
		_, err := j.tag(y.t.Context())
		r.ended <- err
	}()
	r.wait()
	return r
}

func (r *runner) wait() {
	select {
	case <-r.waiting:
	case err := <-r.ended:
		r.over = true
		require.NoError(r.y.t, err)
	}
}

// put lets the job send one PUT and proceed to the next one.
func (r *runner) put() {
	if !r.over {
		r.goOn <- struct{}{}
		r.wait()
	}
}

// race interleaves the PUTs of two jobs in the order given by choose, where true selects a.
func race(a, b *runner, choose func(n int) bool) {
	for n := 0; !a.over || !b.over; n++ {
		if first := choose(n); (first || b.over) && !a.over {
			a.put()
		} else {
			b.put()
		}
	}
}

// orders returns all interleavings of two jobs: sequences with `ones` times true, for the first job, and `others` times false, for the second.
func orders(ones, others int) (all [][]bool) {
	for bits := range 1 << (ones + others) {
		order, has := make([]bool, ones+others), 0
		for n := range order {
			if order[n] = bits&(1<<n) != 0; order[n] {
				has++
			}
		}
		if has == ones {
			all = append(all, order)
		}
	}
	return all
}

func following(order []bool) func(n int) bool {
	return func(n int) bool { return n < len(order) && order[n] || n >= len(order) && n%2 == 0 }
}

func aPlan(t *testing.T) Plan {
	p, err := New(request(t))
	require.NoError(t, err)
	return *p
}

// If two jobs write tags concurrently, the tags end up at the newer commit and the higher version, regardless of the order of PUTs.
func TestTwoJobsAtOnce(t *testing.T) {
	plan := aPlan(t)
	for what, p := range map[string]past{
		"one version":              {{nil, "1.2.3"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.2.3"}},
		"the first of its version": {{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.2.3"}},
		"two versions":             {{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.2.4"}},
		"a new minor":              {{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.3.0"}},
		"a backport at the time":   {{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{0}, "2.0.0"}},
		"a merge":                  {{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{0, 1}, "1.2.3"}},
		"apart":                    {{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{0}, "1.2.3"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for n, order := range orders(5, 5) {
				if all := what == "one version" || what == "two versions"; !all && n%4 != 0 {
					continue
				}
				y := newYard(t, plan, p)
				_, err := y.job(0, p.history()).tag(t.Context())
				require.NoError(t, err)
				before := y.tags()
				a, b := y.job(1, p.history()), y.job(2, p.history())
				race(y.start(a), y.start(b), following(order))
				wanted := []state{p.pushed(p.pushed(before, 1), 2), p.pushed(p.pushed(before, 2), 1)}
				require.Contains(t, wanted, y.tags(), "%v", order)
			}
		})
	}
}

// Random histories are pushed in random order, sequentially or in concurrent pairs. The tags latest, 1 and 1.2 end up where the oracle predicts.
func TestRandomHistories(t *testing.T) {
	plan := aPlan(t)
	races, moves := 0, 0
	for seed := range uint64(240) {
		r := rand.New(rand.NewPCG(seed, 18))
		p := randomPast(r)
		y := newYard(t, plan, p)
		var log []string
		for range 3 + r.IntN(4) {
			before := y.tags()
			a, b := r.IntN(len(p)), r.IntN(len(p))
			if a == b || r.IntN(2) == 0 {
				log = append(log, fmt.Sprint(a))
				_, err := y.job(a, p.history(a)).tag(t.Context())
				require.NoError(t, err)
				require.Equal(t, p.pushed(before, a), y.tags(), "seed %d: %v of %v", seed, log, p)
				continue
			}
			races++
			log = append(log, fmt.Sprint(a, " and ", b))
			race(y.start(y.job(a, p.history())), y.start(y.job(b, p.history())), func(int) bool { return r.IntN(2) == 0 })
			wanted := []state{p.pushed(p.pushed(before, a), b), p.pushed(p.pushed(before, b), a)}
			now := y.tags()
			require.Contains(t, wanted, now, "seed %d: %v of %v", seed, log, p)
			if !maps.Equal(before, now) {
				moves++
			}
		}
	}
	require.Greater(t, races, 200)
	require.Greater(t, moves, 100)
}

// randomPast returns a history with a main line, backport branches, pre-releases and merges.
func randomPast(r *rand.Rand) (p past) {
	p = past{{nil, "1.2.0"}}
	for n := 1; n < 4+r.IntN(8); n++ {
		from := max(0, n-1-r.IntN(3)*r.IntN(2))
		c := commit{parents: []int{from}, version: p[from].version}
		if other := r.IntN(n); r.IntN(4) == 0 && other != from {
			c.parents = append(c.parents, other)
			if version.MustParse(p[other].version).Compare(version.MustParse(c.version)) > 0 {
				c.version = p[other].version
			}
		} else if r.IntN(2) == 0 {
			c.version = next(r, c.version)
		}
		p = append(p, c)
	}
	return p
}

func next(r *rand.Rand, v string) string {
	release, pre, _ := strings.Cut(v, "rc")
	if pre != "" && r.IntN(2) == 0 {
		return release
	}
	var major, minor, patch int
	_, err := fmt.Sscanf(release, "%d.%d.%d", &major, &minor, &patch)
	if err != nil {
		panic(err)
	}
	switch r.IntN(6) {
	case 0:
		major, minor, patch = major+1, 0, 0
	case 1, 2:
		minor, patch = minor+1, 0
	default:
		patch++
	}
	return fmt.Sprintf("%d.%d.%d", major, minor, patch) + cmp.Or(map[int]string{0: "rc1"}[r.IntN(5)], "")
}

// The older job's clone predates the newer commit, so its git does not have that commit. The newer job keeps its tags. If a delayed PUT of the older
// job moves one of these tags, the older job moves the tag back.
func TestTheOlderJobDoesNotKnowTheNewerCommit(t *testing.T) {
	plan := aPlan(t)
	for what, p := range map[string]past{
		"one version":      {{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.2.3"}},
		"a third commit":   {{nil, "1.2.3"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.2.3"}},
		"a higher version": {{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.3.0"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for _, order := range orders(5, 5) {
				y := newYard(t, plan, p)
				_, err := y.job(0, p.history()).tag(t.Context())
				require.NoError(t, err)
				before := y.tags()
				race(y.start(y.job(1, p.history(1))), y.start(y.job(2, p.history(2))), following(order))
				require.Contains(t, []state{p.pushed(p.pushed(before, 1), 2), p.pushed(before, 2)}, y.tags(), "%v", order)
			}
		})
	}
}

// When the older job makes its plan, the newer job has written its commit's tag and some of the others, so the older job mistakes them for an
// earlier push. A second tag corrects this: one PUT may be delayed until the newer job has ended, but the job reads the tags again before the next
// PUT. If both jobs move only one tag, nothing corrects it (see tagging).
func TestTheOlderJobIsPlannedWhileTheNewerOneTags(t *testing.T) {
	plan := aPlan(t)
	for what, c := range map[string]struct {
		past  past
		alone bool // both jobs move only one tag
	}{
		"one version":              {past: past{{nil, "1.2.3"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.2.3"}}},
		"the first of its version": {past: past{{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.2.3"}}},
		"two versions":             {past: past{{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.2.4"}}},
		"a merge":                  {past: past{{nil, "1.2.2"}, {[]int{0}, "1.2.3"}, {[]int{0, 1}, "1.2.3"}}},
		"a pre-release":            {past: past{{nil, "1.2.3rc1"}, {[]int{0}, "1.2.3rc1"}, {[]int{1}, "1.2.3rc1"}}, alone: true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for put := 1; put < 5; put++ {
				for n, order := range orders(5, 5-put) {
					if what != "one version" && n%4 != 0 {
						continue
					}
					y := newYard(t, plan, c.past)
					_, err := y.job(0, c.past.history()).tag(t.Context())
					require.NoError(t, err)
					before := y.tags()
					newer := y.start(y.job(2, c.past.history()))
					for range put {
						newer.put()
					}
					race(y.start(y.job(1, c.past.history())), newer, following(order))
					wanted := []state{c.past.pushed(c.past.pushed(before, 1), 2), c.past.pushed(c.past.pushed(before, 2), 1)}
					if c.alone { // with a single tag, the older commit may win
						wanted = append(wanted, c.past.pushed(before, 1))
					}
					require.Contains(t, wanted, y.tags(), "%d %v", put, order)
				}
			}
		})
	}
}
