package image

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// Each request is a round trip to a possibly distant registry, and each /v2/ request also needs a token. Pushing an existing image sends only the
// necessary requests, and none of them twice.
func TestUnchangedPushNeedsFewRequests(t *testing.T) {
	c := imagetest.NewCounted(t)
	q := request(t)
	q.Registry, q.SBOM = c.Host+"/someone", ""
	p, err := New(q)
	require.NoError(t, err)
	s := &imagetest.Shop{Host: c.Host}
	digest := s.Put(t, p.Repository, p.Labels, "linux/amd64", "linux/arm64")
	for _, tag := range append(p.Candidates(), RevisionTag(q.Revision)) {
		require.NoError(t, (&registry.Registry{}).Tag(t.Context(), p.Repository, digest, tag))
	}
	c.Since()

	j := &Job{Plan: p, Registry: &registry.Registry{}, Push: true, Records: t.TempDir(), Result: Result{Digest: digest}}
	require.NoError(t, j.remember())
	q.Have, err = j.Registry.TagsForPush(t.Context(), p.Repository)
	require.NoError(t, err)
	q.Held, err = ReadHeld(t.Context(), j.Registry, p.Repository, p.Candidates(), q.Have)
	require.NoError(t, err)
	require.Len(t, q.Held, 4)
	j.Plan, err = New(q)
	require.NoError(t, err)
	plan := c.Since()
	_, err = j.lookUp(t.Context())
	require.NoError(t, err)
	require.True(t, j.Result.Reused)
	known := c.Since()
	_, err = j.tag(t.Context())
	require.NoError(t, err)
	for _, tag := range j.Result.Tags {
		require.False(t, tag.Moves, tag.Name)
	}
	tag := c.Since()
	require.LessOrEqual(t, len(plan), 10, "of a tag no more than its index, and the labels of one image: %q", plan)
	require.LessOrEqual(t, len(known), 7, "%q", known)
	require.LessOrEqual(t, len(tag), 10, "a tag that stands for the image already needs no more than its digest: %q", tag)
	require.Equal(t, 2, matching(slices.Concat(plan, known, tag), "GET /v2/"), "one login for reading, and one for the check of push access")
}

func matching(all []string, what string) (n int) {
	for _, one := range all {
		if one == what {
			n++
		}
	}
	return n
}

// ReadHeld works for any kind of image: an index, a single image, or one without labels.
func TestHeld(t *testing.T) {
	s := imagetest.NewShop(t)
	q := request(t)
	q.Registry = s.Host + "/someone"
	p, err := New(q)
	require.NoError(t, err)
	r := &registry.Registry{}
	tag := func(as string, what remote.Taggable) {
		ref, err := name.ParseReference(p.Repository + ":" + as)
		require.NoError(t, err)
		require.NoError(t, remote.Push(ref, what))
	}
	img, err := random.Image(64, 1)
	require.NoError(t, err)
	tag("bare", img)
	c, err := img.ConfigFile()
	require.NoError(t, err)
	labeled := func(name string, labels map[string]string) {
		c.Config.Labels = labels
		one, err := mutate.ConfigFile(img, c)
		require.NoError(t, err)
		tag(name, one)
	}
	labeled("one", map[string]string{labelVersion: "v0.1", labelPlan: "x", labelTitle: "TheApp"})
	labeled("base", map[string]string{labelVersion: "24.04", labelRevision: q.Revision, labelTitle: "theapp"})
	labeled("onours", map[string]string{labelVersion: "1.2.3", labelPlan: "x", labelTitle: "runtime"})
	labeled("nameless", map[string]string{labelVersion: "1.2.3", labelPlan: "x"})
	tag("empty", empty.Index)
	digest := s.Put(t, p.Repository, p.Labels, "linux/amd64", "linux/arm64")
	require.NoError(t, r.Tag(t.Context(), p.Repository, digest, "1.2.3"))

	names := []string{"bare", "one", "empty", "1.2.3", "base", "onours", "nameless", "gone"}
	want := map[string]Held{
		"bare": {}, "one": {Version: "v0.1"}, "empty": {}, "1.2.3": {Version: "1.2.3", Revision: q.Revision},
		"base": {}, "onours": {}, "nameless": {}, // labels are ignored unless they come from a plan for this image
	}
	for name, h := range want {
		there, err := r.Digest(t.Context(), p.Repository+":"+name)
		require.NoError(t, err)
		h.Digest = there
		want[name] = h
	}
	var got [4]map[string]Held
	var errs [4]error
	var several sync.WaitGroup
	for n := range got {
		several.Go(func() { got[n], errs[n] = ReadHeld(t.Context(), r, p.Repository, names, names) })
	}
	several.Wait()
	for n := range got {
		require.NoError(t, errs[n])
		require.Equal(t, want, got[n])
	}

	digest = s.Put(t, p.Repository, p.Labels, "linux/amd64")
	require.NoError(t, r.Tag(t.Context(), p.Repository, digest, "bare"))
	held, err := ReadHeld(t.Context(), r, p.Repository, []string{"bare"}, names)
	require.NoError(t, err)
	require.Equal(t, Held{Version: "1.2.3", Revision: q.Revision, Digest: digest}, held["bare"], "after the tag moved, the new image is read")
}
