package publish_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// installer is a toolchain that installs from the first channel without a login, as a solver without credentials does.
type installer struct {
	*builder
	solved bool
	from   []string          // the first channel of each installed environment
	had    map[string]string // sha256 of each package in the last environment
}

func (i *installer) Install(ctx context.Context, in toolchain.Install) (toolchain.Environment, error) {
	i.from, i.had = append(i.from, in.Channels[0]), map[string]string{}
	at := strings.LastIndex(in.Channels[0], "/")
	client, err := prefixdev.New(prefixdev.Options{Server: in.Channels[0][:at], Attempts: 1})
	if err != nil {
		return toolchain.Environment{}, err
	}
	c, err := client.Channel(in.Channels[0][at+1:])
	if err != nil {
		return toolchain.Environment{}, err
	}
	for _, spec := range in.Specs {
		name, _, _ := strings.Cut(spec, " ")
		found, err := c.Records(ctx, "noarch", name)
		if err != nil || len(found) != 1 {
			return toolchain.Environment{}, fmt.Errorf("solving for %s: %d found, %w", spec, len(found), err)
		}
		i.had[name] = found[0].SHA256
	}
	return toolchain.Environment{Dir: in.Dir, Solved: i.solved}, os.MkdirAll(in.Dir, 0o755)
}

// trying prepares a publication of base and top to our channel.
func trying(t *testing.T, private, solved bool) (s *publish.Sequence, i *installer, ended *[]string) {
	t.Helper()
	o := localprefix.Options{Dir: filepath.Join(t.TempDir(), "channels"), Key: key}
	if private {
		o.Private = []string{"ours"}
	}
	world, err := localprefix.Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, world.Close()) })
	client, err := prefixdev.New(prefixdev.Options{Server: world.URL, Token: key})
	require.NoError(t, err)
	c, err := client.Channel("ours")
	require.NoError(t, err)
	p, b := newPublisher(t, load(t, map[string][]string{"base": nil, "top": {"base"}}), c)
	b.files = map[string]string{"share/data.txt": "nothing for Python"}
	i, ended = &installer{builder: b, solved: solved}, &[]string{}
	p.Tools = i
	trial := func(dir string) (publish.Destination, func() error, error) {
		here, err := localprefix.Start(localprefix.Options{Dir: dir})
		if err != nil {
			return nil, nil, err
		}
		client, err := prefixdev.New(prefixdev.Options{Server: here.URL, Token: prefixdev.Token(here.Key)})
		if err != nil {
			return nil, nil, err
		}
		c, err := client.Channel("ours")
		return c, func() error {
			*ended = append(*ended, here.URL)
			return here.Close()
		}, err
	}
	s = &publish.Sequence{Publisher: p, Trial: trial}
	require.NoError(t, s.Look(t.Context(), publish.Artifacts{}))
	require.NoError(t, s.Build(t.Context(), s.Missing, s.Artifacts))
	require.NoError(t, s.Decide(t.Context()))
	return s, i, ended
}

// Before the upload, packages are installed from a temporary channel, which is closed afterwards. A solved environment also depends on our channel,
// so it is installed again from there, unless the solver cannot read that channel.
func TestChannelsOfATrial(t *testing.T) {
	const trial, ours = "trial", "ours"
	for name, c := range map[string]struct {
		private, solved bool
		want            []string
	}{
		"public, of files":  {want: []string{trial}},
		"public, solved":    {solved: true, want: []string{trial, ours}},
		"private, of files": {private: true, want: []string{trial}},
		"private, solved":   {private: true, solved: true, want: []string{trial, trial}},
	} {
		t.Run(name, func(t *testing.T) {
			s, i, ended := trying(t, c.private, c.solved)
			_, err := s.Try(t.Context())
			require.NoError(t, err)
			_, err = s.Send(t.Context())
			require.NoError(t, err)
			v, err := s.Verify(t.Context(), s.Delivery)
			require.NoError(t, err)
			require.Equal(t, c.solved, v.Installed.Solved)
			var from []string
			for _, url := range i.from {
				from = append(from, map[bool]string{true: ours, false: trial}[url == s.Channel.URL()])
			}
			require.Equal(t, c.want, from)
			require.Len(t, *ended, strings.Count(strings.Join(c.want, " "), trial), "each channel of this process ends")
			require.Len(t, i.had, 2)
		})
	}
}

// The environment of Try is reused only for the same bytes.
func TestTrialOfOtherBytes(t *testing.T) {
	s, i, _ := trying(t, false, false)
	_, err := s.Try(t.Context())
	require.NoError(t, err)
	_, err = s.Send(t.Context())
	require.NoError(t, err)
	part := s.Delivery
	part.Items = part.Items[:1]
	_, err = s.Verify(t.Context(), part)
	require.NoError(t, err)
	require.Len(t, i.from, 2)
}

// Try is a no-op if there is nothing to send.
func TestNoTrialWithoutAnUpload(t *testing.T) {
	s, i, ended := trying(t, false, false)
	_, err := s.Send(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Look(t.Context(), s.Artifacts))
	require.NoError(t, s.Decide(t.Context()))
	v, err := s.Try(t.Context())
	require.NoError(t, err)
	require.Nil(t, v.Files)
	require.Empty(t, i.from)
	require.Empty(t, *ended)
}

// Files that a killed run left in its temporary channel do not affect the next run.
func TestKilledTrial(t *testing.T) {
	s, i, _ := trying(t, false, false)
	_, err := s.Try(t.Context())
	require.NoError(t, err)
	i.extra = map[string]any{"license": "another"}
	require.NoError(t, s.Build(t.Context(), s.Workspace.Order(), s.Artifacts))
	require.NoError(t, s.Decide(t.Context()))
	_, err = s.Try(t.Context())
	require.NoError(t, err)
	require.Equal(t, s.Artifacts["base"].SHA256, i.had["base"])
}

// Try installs a kept package as it is on the channel, even if it was built here.
func TestKeptPackageIsTriedFromTheChannel(t *testing.T) {
	s, i, _ := trying(t, false, false)
	whole := s.Delivery
	s.Delivery.Items = whole.Items[:1]
	_, err := s.Send(t.Context())
	require.NoError(t, err)
	there := whole.Items[0].Record.SHA256
	i.extra = map[string]any{"license": "another"}
	require.NoError(t, s.Build(t.Context(), s.Workspace.Order(), s.Artifacts))
	require.NotEqual(t, there, s.Artifacts["base"].SHA256)
	s.Delivery = whole
	s.Delivery.Items[0].State = publish.Kept
	s.Delivery.Items[1].Record.SHA256 = s.Artifacts["top"].SHA256
	_, err = s.Try(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"base": there, "top": s.Artifacts["top"].SHA256}, i.had)
}

// If the temporary channel cannot be closed, this error is returned in addition to any other error.
func TestTrialThatCannotBeClosed(t *testing.T) {
	s, i, _ := trying(t, false, false)
	open := s.Trial
	s.Trial = func(dir string) (publish.Destination, func() error, error) {
		c, end, err := open(dir)
		return c, func() error { return errors.Join(end(), errors.New("its folder is full")) }, err
	}
	_, err := s.Try(t.Context())
	require.ErrorContains(t, err, "its folder is full")
	require.Len(t, i.from, 1)
}

// If a release is not found on a channel that may be private, the next step suggests a key.
func TestReleaseOnAnInvisibleChannel(t *testing.T) {
	s, _, _ := trying(t, true, false)
	_, err := s.Send(t.Context())
	require.NoError(t, err)
	c := s.Channel.(*prefixdev.Channel)
	require.NoError(t, s.FindPublished(t.Context()))
	client, err := prefixdev.New(prefixdev.Options{Server: strings.TrimSuffix(c.URL(), "/ours")})
	require.NoError(t, err)
	c, err = client.Channel("ours")
	require.NoError(t, err)
	c.Use(prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, prefixdev.ErrNone }))
	s.Channel = c
	err = s.FindPublished(t.Context())
	require.ErrorContains(t, err, "has no base 1.0")
	require.Equal(t, "publish this version first: run `mage publish`; or, if the channel is private, set PREFIX_API_KEY to a key that can read the channel", operr.NextOf(err))
}
