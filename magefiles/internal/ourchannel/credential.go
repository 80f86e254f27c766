package ourchannel

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// credential finds the credential of our channel. An API key is shown to the server, so that a wrong one is known before
// anything is built. An ID token of a CI is good once, and asked for where something may be published alone.
func (c *Channels) credential(ctx context.Context, client *prefixdev.Client) (prefixdev.Credential, error) {
	find := c.Sources.Credential
	if !c.publishes {
		find = c.Sources.Stored
	}
	found, err := find(ctx, client)
	if err != nil || found.Minted {
		return found, err
	}
	login, err := client.Login(ctx, found.Token)
	if err == nil && login == "" {
		return found, operr.New("make a new key on "+client.Server(), "%s does not know the token of %s", client.Server(), found.Source)
	}
	if err == nil {
		found.Account = login // else it does not answer that question: the upload will tell
	}
	return found, context.Cause(ctx)
}

// KeyOfFileUploads reports whether the key for our server in RATTLER_AUTH_FILE is known to be able to write: it is PREFIX_API_KEY's, or the
// one that a run which uploads does so with.
func (c *Channels) KeyOfFileUploads(uploads bool) bool {
	client, err := c.Client()
	if c.AuthFile == "" || err != nil {
		return false
	}
	key := string(prefixdev.KeyOf(c.AuthFile, client))
	return key != "" && (key == c.Sources.APIKey || uploads && c.Sources.APIKey == "" && c.Sources.CI == nil)
}
