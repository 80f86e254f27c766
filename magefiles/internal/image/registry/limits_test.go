package registry

import (
	"net/http"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// An index with far more images than ours is rejected.
func TestAnIndexHasALimit(t *testing.T) {
	of := func(n int) v1.ImageIndex {
		all := make([]mutate.IndexAddendum, n)
		for i := range all {
			all[i] = mutate.IndexAddendum{Add: empty.Image, Descriptor: v1.Descriptor{Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"}}}
		}
		return mutate.AppendManifests(empty.Index, all...)
	}
	for n, refused := range map[int]bool{1: false, maxImages: false, maxImages + 1: true} {
		_, err := readIndex(of(n))
		require.Equal(t, refused, err != nil && strings.Contains(err.Error(), "more than 1000 images"), "%d: %v", n, err)
	}
}

// Registries report immutable tags in several ways. Other refusals are not mistaken for these.
func TestImmutableTags(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		kept   bool
	}{
		{status: http.StatusPreconditionFailed, code: "DENIED", kept: true},
		{status: http.StatusConflict, code: "TAG_ALREADY EXISTS", kept: true},
		{status: http.StatusForbidden, code: "IMMUTABLE", kept: true},
		{status: http.StatusForbidden, code: "DENIED"},
		{status: http.StatusInternalServerError, code: "IMMUTABLE"},
	} {
		s := imagetest.NewShop(t)
		repository := s.Host + "/someone/theapp"
		digest := s.Put(t, repository, labels, "linux/amd64")
		s.Refuse(c.status, c.code, func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/1.2.3")
		})
		err := (&Registry{}).Tag(t.Context(), repository, digest, "1.2.3")
		require.Error(t, err)
		if c.kept {
			require.ErrorIs(t, err, ErrImmutable, c)
			require.Equal(t, "raise the version: a new version has new tags", operr.NextOf(err))
			continue
		}
		require.NotErrorIs(t, err, ErrImmutable, c)
	}
}
