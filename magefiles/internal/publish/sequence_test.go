package publish_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// A publication that takes less than a minute requests a CI credential only once: GitLab gives a job a single ID token, and a channel accepts it
// only once.
func TestACredentialIsMintedOnce(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	p, _ := newPublisher(t, load(t, diamond), c)
	asked := 0
	c.Use(prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) {
		asked++
		return prefixdev.Credential{Source: "a CI", Minted: true, Token: key}, nil
	}))
	s := &publish.Sequence{Publisher: p}
	require.NoError(t, s.Look(t.Context(), publish.Artifacts{}))
	require.NoError(t, s.Build(t.Context(), s.Missing, s.Artifacts))
	require.NoError(t, s.Decide(t.Context()))
	said, err := s.Send(t.Context())
	require.NoError(t, err)
	require.Contains(t, said, "in 3 levels")
	require.Equal(t, 1, asked)
	require.False(t, s.Private(t.Context()))
}

// If the credential is older than a minute when a level is sent, it may have expired, so a new one is requested. An API key does not expire.
func TestACredentialIsRenewed(t *testing.T) {
	for minted, most := range map[bool]int{true: 4, false: 1} {
		site := start(t)
		c := site.channel(t)
		p, _ := newPublisher(t, load(t, diamond), c)
		asked, slow := 0, time.Now()
		k := prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) {
			asked++
			return prefixdev.Credential{Source: "a CI", Minted: minted, Token: key}, nil
		})
		k.Now = func() time.Time { // each call moves the clock forward by half a minute
			slow = slow.Add(30 * time.Second)
			return slow
		}
		c.Use(k)
		s := &publish.Sequence{Publisher: p}
		require.NoError(t, s.Look(t.Context(), publish.Artifacts{}))
		require.NoError(t, s.Build(t.Context(), s.Missing, s.Artifacts))
		require.NoError(t, s.Decide(t.Context()))
		_, err := s.Send(t.Context())
		require.NoError(t, err)
		require.Equal(t, minted, asked > 1, "asked %d times", asked)
		require.LessOrEqual(t, asked, most, "once at the start, and once for each level")
	}
}

// A credential is needed if the channel lacks a file or has other bytes for it, and not if it has all files.
func TestIsCredentialNeeded(t *testing.T) {
	site := start(t)
	p, b := newPublisher(t, load(t, map[string][]string{"base": nil}), site.channel(t))
	looked := func(ready publish.Artifacts) *publish.Sequence {
		s := &publish.Sequence{Publisher: p}
		require.NoError(t, s.Look(t.Context(), ready))
		return s
	}
	s := looked(publish.Artifacts{})
	require.True(t, s.Needed(), "the channel is empty")
	err := s.FindPublished(t.Context())
	require.ErrorContains(t, err, "ours has no base 1.0")
	require.Equal(t, "publish this version first: run `mage publish`", operr.NextOf(err))
	require.NoError(t, s.Build(t.Context(), s.Missing, s.Artifacts))
	require.NoError(t, s.Decide(t.Context()))
	_, err = s.Send(t.Context())
	require.NoError(t, err)

	require.False(t, looked(publish.Artifacts{}).Needed(), "the package is on the channel, and nothing was built")
	require.False(t, looked(s.Artifacts).Needed(), "the channel has the same bytes")
	require.NoError(t, looked(publish.Artifacts{}).FindPublished(t.Context()))
	b.extra = map[string]any{"license": "another"}
	other := publish.Artifacts{}
	require.NoError(t, p.Build(t.Context(), p.Workspace.Order(), other))
	require.True(t, looked(other).Needed(), "the channel has other bytes")
}

// A private channel is read with the credential. Without a credential the channel seems to be missing, and the errors of later stages mention this.
func TestPrivateChannelIsReadWithTheCredential(t *testing.T) {
	world, err := localprefix.Start(localprefix.Options{Dir: filepath.Join(t.TempDir(), "channels"), Key: key, Private: []string{"ours"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, world.Close()) })
	as := func(token prefixdev.Token) *prefixdev.Channel {
		client, err := prefixdev.New(prefixdev.Options{Server: world.URL, Token: token})
		require.NoError(t, err)
		c, err := client.Channel("ours")
		require.NoError(t, err)
		return c
	}
	first, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), as(key))
	made, err := plan(t, first)
	require.NoError(t, err)
	_, err = first.Upload(t.Context(), made)
	require.NoError(t, err)

	c := as("")
	p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), c)
	none := errors.New("there is none")
	c.Use(prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, none }))
	s := &publish.Sequence{Publisher: p}
	require.NoError(t, s.Look(t.Context(), publish.Artifacts{}))
	require.False(t, s.Holdings.Exists)
	require.ErrorIs(t, s.Holdings.Unseen, none)
	require.True(t, s.Unseen())
	require.False(t, s.Private(t.Context()))
	_, err = c.Authorize(t.Context())
	require.ErrorIs(t, err, none)

	asked := 0
	c.Use(prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) {
		asked++
		return prefixdev.Credential{Source: "a key", Token: key}, nil
	}))
	require.NoError(t, s.Look(t.Context(), publish.Artifacts{}))
	require.True(t, s.Holdings.Exists)
	require.Empty(t, s.Missing)
	require.True(t, s.Private(t.Context()))
	require.NoError(t, s.Decide(t.Context()))
	seen, err := s.WaitUntilShown(t.Context(), s.Delivery.Records())
	require.NoError(t, err)
	require.Contains(t, seen, "read with the token, because the channel is private")
	_, err = c.Authorize(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, asked, "files are sent with the credential that was used to read")
}

// A file that is replaced after it was read, for instance while the user is asked for confirmation, is not sent, even if its size is the same.
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
	_, err = p.Upload(t.Context(), made)
	require.ErrorContains(t, err, "changed after it was read: expected sha256 ")
	h, err := publish.Look(t.Context(), c, p.Workspace.Packages)
	require.NoError(t, err)
	require.Empty(t, h.Records)
}
