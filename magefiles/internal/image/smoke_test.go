package image

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// The record lists the platforms on which the check has passed. The others are checked as soon as a builder can run them.
func TestUncheckedPlatformsAreCheckedLater(t *testing.T) {
	const amd64, arm64 = "linux/amd64", "linux/arm64"
	both := []registry.Image{{Platform: amd64}, {Platform: arm64}}
	ran := []string{}
	j := job(t, same, func(_ context.Context, c command.Cmd) error {
		if !slices.Contains(c.Args, "--output=type=cacheonly") {
			return nil
		}
		ran = append(ran, c.Args[slices.IndexFunc(c.Args, func(a string) bool { return strings.HasPrefix(a, "--platform=") })])
		return nil
	})
	j.Records, j.index = t.TempDir(), &registry.Index{Images: both}
	j.Result.Digest = "sha256:" + strings.Repeat("a", 64)
	j.node = buildx.Node{Name: "here", Platforms: []string{amd64}}
	said, err := j.smoke(t.Context())
	require.NoError(t, err)
	require.Equal(t, "ran sh -c python -c 'import lib' on linux/amd64; not on linux/arm64, which this builder cannot run", said)
	require.Equal(t, []string{amd64}, j.readRecord().listChecked())

	for _, c := range []struct {
		can  []string
		ran  []string
		says string
	}{
		{[]string{amd64}, nil, "not run again on linux/amd64, because the check passed when the image was built; not on linux/arm64, which this builder cannot run"},
		{[]string{amd64, arm64}, []string{"--platform=" + arm64}, "not run again on linux/amd64, because the check passed when the image was built; ran sh -c python -c 'import lib' on linux/arm64"},
		{nil, nil, "not run again on linux/amd64 and linux/arm64, because the check passed when the image was built"},
	} {
		ran = nil
		j.Result = newResult(j.Plan)
		j.Result.Reused, j.Result.Digest, j.Result.Checked = true, "sha256:"+strings.Repeat("a", 64), j.readRecord().listChecked()
		j.node = buildx.Node{Name: "here", Platforms: c.can}
		said, err := j.smoke(t.Context())
		require.NoError(t, err)
		require.Equal(t, c.says, said)
		require.Equal(t, c.ran, ran)
	}
}

// An existing image needs a builder only for unchecked platforms. Without a builder, it is tagged anyway.
func TestBuilderForUncheckedPlatforms(t *testing.T) {
	j := job(t, same, imagetest.Say(1, "ERROR: no builder \"x\" found"))
	j.Result.Reused, j.Result.Checked = true, slices.Clone(j.Plan.Platforms)
	said, err := j.look(t.Context())
	require.NoError(t, err)
	require.Equal(t, "not needed", said)
	j.Result.Checked = j.Result.Checked[:1]
	said, err = j.look(t.Context())
	require.NoError(t, err)
	require.Equal(t, `not needed: there is no builder ""`, said)
	j.Result.Reused = false
	_, err = j.look(t.Context())
	require.Error(t, err)
}
