package ourchannel

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// credential finds the credential for our channel. It sends an API key to the server, so that an invalid key is reported before anything is
// built. It requests an ID token only in a run that may publish, because an ID token can be used only once.
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
		return found, operr.New("create a new key on "+client.Server(), "%s does not know the token of %s", client.Server(), found.Source)
	}
	if err == nil {
		found.Account = login // on an error, leave it empty: an invalid key will make the upload fail
	}
	return found, context.Cause(ctx)
}

// authFile names the environment variable with the path of a key file for conda channel servers.
const authFile = "RATTLER_AUTH_FILE"

// KeptFromPixi returns the environment variables that must not be passed to pixi while it runs build backends. This is RATTLER_AUTH_FILE if the
// key in that file is known to allow uploads. Set uploads if this run publishes the packages that it builds. KeptFromPixi calls tell with an
// explanation for the user.
func (c *Channels) KeptFromPixi(uploads bool, tell func(line string)) []string {
	if !c.keyOfFileUploads(uploads) {
		return nil
	}
	tell(authFile + " is not passed to pixi when it builds: the key in this file can upload, and build backends could read it. " +
		"If a build reads a private channel, put a read-only key into this file, and the key that uploads into PREFIX_API_KEY")
	return []string{authFile}
}

// keyOfFileUploads reports whether the key for our server in the file is known to allow uploads: either it is the same as PREFIX_API_KEY, or this
// run uploads with it.
func (c *Channels) keyOfFileUploads(uploads bool) bool {
	client, err := c.Client()
	if c.AuthFile == "" || err != nil {
		return false
	}
	key := string(prefixdev.KeyOf(c.AuthFile, client))
	return key != "" && (key == c.Sources.APIKey || uploads && c.Sources.APIKey == "" && c.Sources.CI == nil)
}
