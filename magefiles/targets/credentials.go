package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// ourChannel is our channel as anyone reads it.
func ourChannel(w *workspace.Workspace) (*prefixdev.Client, *prefixdev.Channel, error) {
	client, err := newChannelClient()
	if err != nil {
		return nil, nil, err
	}
	c, err := client.Channel(channelName(w))
	return client, c, err
}

// credential finds the credential of our channel. An API key is shown to the server, so that a wrong one is known before
// anything is built.
func credential(ctx context.Context, client *prefixdev.Client) (prefixdev.Credential, error) {
	c, err := credentialSources().Credential(ctx, client)
	if err != nil || c.Minted {
		return c, err
	}
	switch login, err := client.Login(ctx, c.Token); {
	case err != nil && ctx.Err() != nil:
		return c, context.Cause(ctx)
	case err != nil: // it does not answer that question: the upload will tell
	case login == "":
		return c, operr.New("make a new key on "+client.Server(), "%s does not know the token of %s", client.Server(), c.Source)
	default:
		c.Account = login
	}
	return c, nil
}
