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

// authFile names a file of keys for the servers of conda channels.
const authFile = "RATTLER_AUTH_FILE"

// KeptFromPixi are the variables by which pixi fetches packages, and which build backends must not run beside: RATTLER_AUTH_FILE, where its
// key is known to be able to write. uploads says that this run sends what is built. tell shows a line to a person, who is told once.
func (c *Channels) KeptFromPixi(uploads bool, tell func(line string)) []string {
	if !c.keyOfFileUploads(uploads) {
		return nil
	}
	tell(authFile + " is kept from pixi where it builds: its key uploads, and build backends would run beside it. " +
		"Where a build needs it to read a private channel, let the file have a key that reads only, and PREFIX_API_KEY the one that uploads")
	return []string{authFile}
}

// keyOfFileUploads reports whether the key for our server in that file is known to be able to write: it is PREFIX_API_KEY's, or the
// one that a run which uploads does so with.
func (c *Channels) keyOfFileUploads(uploads bool) bool {
	client, err := c.Client()
	if c.AuthFile == "" || err != nil {
		return false
	}
	key := string(prefixdev.KeyOf(c.AuthFile, client))
	return key != "" && (key == c.Sources.APIKey || uploads && c.Sources.APIKey == "" && c.Sources.CI == nil)
}
