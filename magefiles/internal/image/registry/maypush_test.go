package registry

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// Asking whether a repository may be pushed to needs none that is there, leaves none there, and does not spoil the push.
func TestMayPush(t *testing.T) {
	c := imagetest.NewCounted(t)
	repository := c.Host + "/someone/theapp"
	r := &Registry{}
	require.NoError(t, r.MayPush(t.Context(), repository))
	require.NoError(t, r.MayPush(t.Context(), repository))
	require.Equal(t, []string{"GET /v2/", "POST /v2/someone/theapp/blobs/uploads/"}, c.Since(), "it is asked once")
	tags, err := r.Tags(t.Context(), repository)
	require.NoError(t, err)
	require.Empty(t, tags)
	digest := (&imagetest.Shop{Host: c.Host}).Put(t, repository, labels, "linux/amd64")
	require.NoError(t, r.Tag(t.Context(), repository, digest, "x"))
	tags, err = r.TagsForPush(t.Context(), repository)
	require.NoError(t, err)
	require.Equal(t, []string{"x"}, tags)

	require.ErrorContains(t, (&Registry{}).MayPush(t.Context(), "127.0.0.1:1/nobody/there"), "asking whether 127.0.0.1:1/nobody/there may be pushed to: ")
}
