package localbuilder_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/localbuilder"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
)

// `below` records the programs that the wrapped runner runs.
type below struct{ ran []string }

func (b *below) Run(_ context.Context, c command.Cmd) error {
	b.ran = append(b.ran, c.Name)
	return nil
}

// Package buildx can use the stand-in as a builder, and the image passes all registry checks.
func TestBuilder(t *testing.T) {
	r, err := localregistry.Start(t.TempDir(), nil)
	require.NoError(t, err)
	defer r.Close()
	b := &below{}
	require.Same(t, b, localbuilder.Of(b, false))
	runner := localbuilder.Of(b, true)
	builder := &buildx.Builder{Runner: runner}
	node, err := builder.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, localbuilder.Name, node.Name)
	require.True(t, node.Loopback())
	require.Contains(t, node.Platforms, "linux/arm64")

	repository := r.Host + "/rehearsal/app"
	definition := buildx.Bake{Target: map[string]buildx.Target{"default": {
		Context:   t.TempDir(),
		Platforms: []string{"linux/amd64", "linux/arm64", "linux/arm/v7"},
		Labels:    map[string]string{"one": "costs ${more} and %{percent}"},
		Attest:    []string{"type=provenance,mode=max", "type=sbom,generator=x"},
	}}}
	result, err := builder.Build(t.Context(), definition.Push(repository, true), t.TempDir())
	require.NoError(t, err)
	index, err := (&registry.Registry{}).Read(t.Context(), repository+"@"+result.Digest)
	require.NoError(t, err)
	require.NoError(t, proof.Verify(index, result.Digest, proof.Wanted{
		Repository: repository,
		Platforms:  []string{"linux/amd64", "linux/arm64", "linux/arm/v7"},
		Labels:     []proof.Label{{Name: "one", Value: "costs ${more} and %{percent}"}},
		SBOM:       true,
	}))
	_, err = builder.BuildAside(t.Context(), buildx.Aside{
		Platform: "linux/amd64",
		Output:   "type=cacheonly",
		Context:  t.TempDir(),
	})
	require.NoError(t, err)

	_, err = builder.Build(t.Context(), definition.Keep(t.TempDir(), true), t.TempDir())
	require.Error(t, err, "it pushes, and does nothing else")
	require.Empty(t, b.ran)
	require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git"}))
	require.Equal(t, []string{"git"}, b.ran)
}

// A stand-in is never pushed to another machine. Otherwise, a rehearsal's variable in the environment could cause empty images to be published.
func TestNoStandInLeavesThisMachine(t *testing.T) {
	for _, host := range []string{"ghcr.io", "registry.invalid:5000", "127.0.0.1.registry.invalid"} {
		_, err := localbuilder.Push(t.Context(), localbuilder.Image{Repository: host + "/me/app", Platforms: []string{"linux/amd64"}}, "")
		require.ErrorContains(t, err, "never to "+host+": unset REHEARSAL_BUILDER", host)
	}
}
