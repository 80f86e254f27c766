package targets

import (
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// seen asks a channel as anyone does. Where that shows nothing, and there is a credential for our server, it is asked with it: the channel
// may be private. No credential of a CI is asked for, since that is for the upload.
func seen[T any](ctx context.Context, client *prefixdev.Client, name string, ask func(c *prefixdev.Channel) (T, error)) (answer T, err error) {
	c, err := client.Channel(name)
	if err != nil {
		return answer, err
	}
	answer, err = ask(c)
	if !errors.Is(err, channel.ErrNotFound) && !errors.Is(err, channel.ErrUnauthorized) && !errors.Is(err, channel.ErrForbidden) {
		return answer, err
	}
	if _, rerr := c.Records(ctx, "noarch", "python"); rerr == nil {
		return answer, err // anyone can see the channel
	}
	ours, oerr := newChannelClient()
	sources := credentialSources()
	if oerr != nil || ours.Server() != client.Server() || sources.CI != nil && sources.APIKey == "" {
		return answer, err
	}
	found, ferr := sources.Credential(ctx, client)
	if ferr != nil {
		return answer, operr.New(operr.NextOf(err), "%w (none that anyone can see; a private channel is asked with the key in PREFIX_API_KEY)", err)
	}
	with, werr := client.With(found.Token)
	if werr != nil {
		return answer, werr
	}
	if c, werr = with.Channel(name); werr != nil {
		return answer, werr
	}
	private, perr := c.Private(ctx)
	switch {
	case perr != nil:
		return answer, errors.Join(err, perr)
	case !private:
		return answer, operr.New(operr.NextOf(err), "%w (none that anyone can see, nor who has %s)", err, found.Source)
	}
	return ask(c)
}
