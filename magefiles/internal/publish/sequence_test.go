package publish_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/publish"
)

// A credential that a CI gives is asked for once in a publication that takes less than a minute: GitLab has one ID token for a job, and a
// channel takes that one once.
func TestACredentialIsMintedOnce(t *testing.T) {
	site := start(t)
	p, _ := newPublisher(t, load(t, diamond), site.channel(t))
	asked := 0
	s := &publish.Sequence{Publisher: p, Authorize: func(context.Context) (publish.Access, error) {
		asked++
		return publish.Access{Source: "a CI", Minted: true, Channel: site.channel(t)}, nil
	}}
	require.NoError(t, s.Look(t.Context(), publish.Artifacts{}))
	require.NoError(t, s.Build(t.Context(), s.Missing, s.Artifacts))
	require.NoError(t, s.Decide(t.Context()))
	said, err := s.Send(t.Context())
	require.NoError(t, err)
	require.Contains(t, said, "in 3 levels")
	require.Equal(t, 1, asked)
	require.False(t, s.Private(t.Context()))
}

// A file that is replaced after it was read, while a person is asked for instance, is not sent: not even one of the same size.
func TestHostileSwap(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), c)
	made, err := plan(t, p)
	require.NoError(t, err)
	file := made.Items[0].Path
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(file, data, 0o644))
	_, err = p.Upload(t.Context(), c, made)
	require.ErrorContains(t, err, "is not the file any more that it was when it was read: its sha256 is ")
	h, err := publish.Look(t.Context(), c, p.Workspace.Packages)
	require.NoError(t, err)
	require.Empty(t, h.Records)
}
