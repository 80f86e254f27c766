package registry

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// MayPush works for a repository that does not exist, does not create it, and does not interfere with a later push.
func TestMayPush(t *testing.T) {
	c := imagetest.NewCounted(t)
	repository := c.Host + "/someone/theapp"
	r := &Registry{}
	require.NoError(t, r.MayPush(t.Context(), repository))
	require.NoError(t, r.MayPush(t.Context(), repository))
	require.Equal(t, []string{"GET /v2/", "POST /v2/someone/theapp/blobs/uploads/"}, c.Since(), "a positive result is cached")
	tags, err := r.Tags(t.Context(), repository)
	require.NoError(t, err)
	require.Empty(t, tags)
	digest := (&imagetest.Shop{Host: c.Host}).Put(t, repository, labels, "linux/amd64")
	require.NoError(t, r.Tag(t.Context(), repository, digest, "x"))
	tags, err = r.TagsForPush(t.Context(), repository)
	require.NoError(t, err)
	require.Equal(t, []string{"x"}, tags)

	require.ErrorContains(t, (&Registry{}).MayPush(t.Context(), "127.0.0.1:1/nobody/there"), "asking whether 127.0.0.1:1/nobody/there accepts a push: ")
}
