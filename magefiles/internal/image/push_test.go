package image

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

func reads(r *http.Request) bool  { return r.Method == http.MethodGet || r.Method == http.MethodHead }
func writes(r *http.Request) bool { return !reads(r) }
func all(*http.Request) bool      { return true }

// A login that can read a public image may lack push access. This is detected before the build.
func TestMissingPushAccessIsDetectedFirst(t *testing.T) {
	s := imagetest.NewShop(t)
	q := request(t)
	q.Registry = s.Host + "/someone"
	p, err := New(q)
	require.NoError(t, err)
	s.Put(t, p.Repository, p.Labels, "linux/amd64")
	for status, code := range map[int]string{401: "UNAUTHORIZED", 403: "DENIED"} {
		s.Refuse(status, code, writes)
		for _, again := range []bool{false, true} {
			j := &Job{Plan: p, Registry: &registry.Registry{}, Push: true, Again: again, Dir: t.TempDir()}
			var steps []string
			err := j.Run(t.Context(), imagetest.Reporter(func(name string, f func() (string, error)) error {
				steps = append(steps, name)
				_, err := f()
				return err
			}))
			require.ErrorContains(t, err, fmt.Sprintf("asking whether %s accepts a push: the registry refused the request (%d)", p.Repository, status))
			require.Contains(t, fmt.Sprintf("%+v", err), "→ log in with `docker login")
			require.Equal(t, []string{"registry"}, steps)
		}
		_, err = (&registry.Registry{}).TagsForPush(t.Context(), p.Repository)
		require.ErrorContains(t, err, "accepts a push: the registry refused the request")
		_, err = (&registry.Registry{}).Tags(t.Context(), p.Repository)
		require.NoError(t, err, "a plan needs no push access")
	}
	s.Refuse(404, "NAME_UNKNOWN", writes)
	err = (&registry.Registry{}).MayPush(t.Context(), p.Repository)
	require.ErrorIs(t, err, registry.ErrNotFound)
	require.Contains(t, fmt.Sprintf("%+v", err), "→ create "+p.Repository+" in the registry, or correct the name of the image")

	j := &Job{Plan: p, Registry: &registry.Registry{}}
	s.Refuse(403, "DENIED", all)
	said, err := j.lookUp(t.Context())
	require.NoError(t, err, "a job that does not push sends no request")
	require.Equal(t, "not asked, because no image is reused from the registry", said)
}

// Some registries (such as ghcr.io) deny a repository that does not exist yet, even to a login that may push it. Only such a denial counts as a first
// push. Other refusals do not, and neither does a denial after a push.
func TestAFirstPushIsNotStopped(t *testing.T) {
	s := imagetest.NewShop(t)
	q := request(t)
	q.Registry, q.SBOM = s.Host+"/someone", ""
	p, err := New(q)
	require.NoError(t, err)
	for _, code := range []string{"DENIED", "NAME_UNKNOWN"} {
		s.Refuse(403, code, reads)
		r := &registry.Registry{}
		tags, err := r.TagsForPush(t.Context(), p.Repository)
		require.NoError(t, err)
		require.Empty(t, tags)
		_, err = r.Tags(t.Context(), p.Repository)
		require.ErrorContains(t, err, "the registry refused the request (403)", "a plan that pushes nothing cannot know that the repository is new")
		j := &Job{Plan: p, Registry: r, Push: true}
		said, err := j.lookUp(t.Context())
		require.NoError(t, err)
		require.Equal(t, "has no image of this commit that we may read", said)
		require.False(t, j.Result.Reused)
	}

	s.Refuse(0, "", all)
	digest := s.Put(t, p.Repository, p.Labels, "linux/amd64", "linux/arm64")
	s.Refuse(403, "DENIED", func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/tags/list") })
	j := &Job{Plan: p, Registry: &registry.Registry{}, Push: true, Result: Result{Digest: digest}}
	_, err = j.tag(t.Context())
	require.ErrorContains(t, err, "the registry refused the request (403)", "the repository exists, but its tags are unknown, so no tag moves")

	for status, code := range map[int]string{401: "UNAUTHORIZED", 403: "MADE", 501: "DENIED"} {
		s.Refuse(status, code, reads)
		r := &registry.Registry{}
		_, err := r.TagsForPush(t.Context(), p.Repository)
		require.ErrorContains(t, err, fmt.Sprintf("(%d)", status))
		_, err = (&Job{Plan: p, Registry: r, Push: true}).lookUp(t.Context())
		require.ErrorContains(t, err, fmt.Sprintf("(%d)", status))
	}
	s.Refuse(403, "DENIED", all)
	_, err = (&registry.Registry{}).TagsForPush(t.Context(), p.Repository)
	require.ErrorContains(t, err, "accepts a push: the registry refused the request (403)")
}

// An image that was pushed only under other tags than the commit's is recognized by its digest.
func TestImageIsRecognizedByItsDigest(t *testing.T) {
	s := imagetest.NewShop(t)
	q := request(t)
	q.Registry, q.SBOM, q.Tags = s.Host+"/someone", "", []string{"old", "candidate"}
	p, err := New(q)
	require.NoError(t, err)
	r := &registry.Registry{}
	records := t.TempDir()
	older := *p
	older.Labels = map[string]string{labelRevision: "of another commit"}
	old := s.Put(t, p.Repository, older.Labels, "linux/amd64", "linux/arm64")
	require.NoError(t, r.Tag(t.Context(), p.Repository, old, "old"))
	known := func() (*Job, string) {
		j := &Job{Plan: p, Registry: r, Push: true, Records: records}
		said, err := j.lookUp(t.Context())
		require.NoError(t, err)
		return j, said
	}
	built := func(digest string) {
		require.NoError(t, (&Job{Plan: p, Push: true, Records: records, Result: Result{Digest: digest}}).remember())
	}
	built(old)
	j, said := known()
	require.Contains(t, said, `has a different image: `)
	require.False(t, j.Result.Reused)

	digest := s.Put(t, p.Repository, p.Labels, "linux/amd64", "linux/arm64")
	built(digest)
	j, said = known()
	require.Equal(t, "has the image: "+digest, said)
	require.True(t, j.Result.Reused)

	q.Platforms = []string{"linux/arm64"}
	p, err = New(q)
	require.NoError(t, err)
	j, _ = known()
	require.False(t, j.Result.Reused, "the image has more platforms than requested")
	built(s.Put(t, p.Repository, p.Labels, "linux/arm64"))
	j, _ = known()
	require.True(t, j.Result.Reused)

	built("sha256:" + strings.Repeat("0", 64))
	j, said = known()
	require.Equal(t, "no longer has the image that this clone built", said)
	require.False(t, j.Result.Reused)
}

// In a registry of several nodes, a node may not yet have an image that was just pushed.
func TestPushedImageAppearsLate(t *testing.T) {
	for what, path := range map[string]string{"the index": "/manifests/sha256:", "a configuration": "/blobs/sha256:"} {
		s := imagetest.NewShop(t)
		j := pushing(t, s, same)
		j.Result.Digest = s.Put(t, j.Plan.Repository, j.Plan.Labels, j.Plan.Platforms...)
		missing := 2
		s.Refuse(404, "MANIFEST_UNKNOWN", func(r *http.Request) bool {
			if !reads(r) || !strings.Contains(r.URL.Path, path) || missing == 0 {
				return false
			}
			missing--
			return true
		})
		_, err := j.verify(t.Context())
		require.NoError(t, err, what)
		require.Len(t, j.Result.Images, 2)
		require.Zero(t, missing)
	}
	s := imagetest.NewShop(t)
	j := pushing(t, s, same)
	j.Result.Digest = "sha256:" + strings.Repeat("0", 64)
	_, err := j.verify(t.Context())
	require.ErrorIs(t, err, registry.ErrNotFound, "an image that never appears is reported as missing")
}
