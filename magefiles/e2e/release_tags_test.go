package e2e_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/monorepotest"
)

// fourTags lists the tags of a release of four packages with independent versions.
var fourTags = []string{"mono-core/v0.1.7", "mono-p0001/v0.1.7", "mono-p0002/v0.1.7", "mono-p0003/v0.1.7"}

// four makes a repository of four packages with independent versions, and with a workflow that is triggered by their tags.
func four(t testing.TB, by string) *releasing {
	t.Helper()
	config := strings.Replace(qaTask, `publish = "%s"`, `publish = "`+by+"\"\nversioning = \"independent\"\n", 1)
	return newReleasing(t, releaseOptions{
		by:   by,
		many: len(fourTags),
		files: map[string]string{
			"pixi.toml":                     monorepotest.Files(len(fourTags), "0.1.6")["pixi.toml"] + config,
			"magefile.go":                   "//go:build mage\n\npackage main\n",
			".github/workflows/release.yml": releaseFile,
		},
	})
}

// releaseFile is a workflow file that publishes using the pixi stand-in.
const releaseFile = `on:
  push:
    tags: ['v*', '*/v*']
  workflow_dispatch:
concurrency:
  group: release-${{ github.ref }}
jobs:
  upload:
    runs-on: ubuntu-24.04
    environment: release
    permissions:
      contents: read
      id-token: write
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - uses: actions/setup-go@v5
      - uses: prefix-dev/setup-pixi@v0.9.3
      - run: go tool mage publish -yes
      - uses: actions/upload-artifact@v4
        with:
          name: publish-result
          path: output/publish.json
`

// ran checks that each tag has exactly one successful run.
func (r *releasing) ran(tags ...string) {
	r.t.Helper()
	runs := map[string]int{}
	for _, job := range r.world.Jobs() {
		require.True(r.t, job.OK, "%s", job.Log)
		runs[job.Tag]++
	}
	for tag, n := range runs {
		require.Equal(r.t, 1, n, tag)
	}
	require.Equal(r.t, tags, slices.Sorted(maps.Keys(runs)))
}

// TestReleaseOfFourIndependentPackages pushes four tags. GitHub creates no events if four tags are pushed at once, but each tag still gets its run.
func TestReleaseOfFourIndependentPackages(t *testing.T) {
	t.Parallel()
	r := four(t, "ci")
	require.Contains(t, r.ok("release", "-to=patch", "-yes"), "released")
	_, tags := r.remote()
	require.Equal(t, fourTags, tags)
	r.ran(fourTags...)
}

// TestReleaseOfFourTagsStopsBetweenPushes rejects the second push, after three tags were pushed. The release either continues with the fourth tag or
// is undone.
func TestReleaseOfFourTagsStopsBetweenPushes(t *testing.T) {
	t.Parallel()
	refusing := func(t *testing.T, by string) *releasing {
		r := four(t, by)
		counting := readFile(t, r.world.Remote, "hooks/pre-receive")
		hook(t, r.world.Remote+"/hooks", "pre-receive", strings.TrimPrefix(counting, "#!/bin/sh\n")+`case "$all" in *p0003*) exit 1 ;; esac`)
		out := r.refused(1, "Error: ", "release", "-to=patch", "-yes")
		require.Contains(t, out, "has the release's commit already")
		write(t, r.world.Remote, "hooks/pre-receive", counting)
		_, tags := r.remote()
		require.Equal(t, fourTags[:3], tags)
		return r
	}
	t.Run("and continues", func(t *testing.T) {
		t.Parallel()
		r := refusing(t, "ci")
		require.Contains(t, r.ok("release", "-yes"), "released")
		_, tags := r.remote()
		require.Equal(t, fourTags, tags)
		r.ran(fourTags...)
	})
	t.Run("and is undone", func(t *testing.T) {
		t.Parallel()
		r := refusing(t, "here")
		require.Contains(t, r.ok("undo", "-yes"), "from origin, and pushed main")
		_, tags := r.remote()
		require.Empty(t, tags)
		require.Empty(t, git(t, r.dir, "tag", "--list", "*/v0.1.7"))
		require.Empty(t, r.onChannel())
		require.Contains(t, r.ok("release", "-to=patch", "-yes"), "released")
	})
}

// TestReleaseRequestsItsRun simulates a GitHub that creates no event for the tag. The release requests a run exactly once, although it is killed
// right after the request.
func TestReleaseRequestsItsRun(t *testing.T) {
	t.Parallel()
	r := four(t, "ci")
	counting := readFile(t, r.world.Remote, "hooks/pre-receive")
	hook(t, r.world.Remote+"/hooks", "pre-receive", strings.Replace(strings.TrimPrefix(counting, "#!/bin/sh\n"), "n=$(", "n=9$(", 1)) // as if many tags were pushed at once
	var asked atomic.Int32
	counts := func(q *http.Request) bool {
		if q.Method == http.MethodPost && strings.HasSuffix(q.URL.Path, "/actions/workflows/release.yml/dispatches") {
			asked.Add(1)
		}
		return false
	}
	r.gate.refuses.Store(&counts)
	require.True(t, r.killed([]string{"release", "-to=patch", "-only=mono-p0001", "-yes"}, func() bool { return asked.Load() > 0 }))
	require.Contains(t, r.ok("release", "-yes"), "mono-p0001/v0.1.7 is released")
	r.ran("mono-p0001/v0.1.7")
	require.EqualValues(t, 1, asked.Load())
}
