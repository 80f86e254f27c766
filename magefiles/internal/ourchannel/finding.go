package ourchannel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/doctor"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// lookFor is how long doctor waits for the channel.
const lookFor = 5 * time.Second

// Examine checks that our channel exists and that there is a credential for publishing to it.
func (c *Channels) Examine(ctx context.Context, w *workspace.Workspace) []doctor.Finding {
	client, err := c.Client()
	if err != nil {
		return []doctor.Finding{{What: "the channel's address", For: "publishing (" + err.Error() + ")", Get: "correct PREFIX_SERVER_URL"}}
	}
	ours, err := c.Of(w)
	switch {
	case errors.Is(err, ErrNoName):
		return []doctor.Finding{{What: "the channel's name", For: "publishing (" + err.Error() + ")", Get: nameStep(w)}, c.examineCredential(client)}
	case err != nil:
		return []doctor.Finding{{What: "the channel's name", For: "publishing (" + err.Error() + ")", Get: "correct it in " + c.namedIn(w)}}
	}
	there := doctor.Finding{What: "the channel " + ours.URL(), For: "publishing", Get: firstRelease(w, client, ours.Name())}
	looking, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	h, err := publish.Look(looking, ours, w.Packages)
	if err != nil {
		there.Get = cmp.Or(operr.CureOf(err), unreachableStep(client.Server()))
	}
	var unreachable *httpclient.UnreachableError
	switch {
	case errors.As(err, &unreachable): // report this error even if the retries have used up the time limit
		there.Unknown = unreachable.Error()
	case err != nil && looking.Err() != nil:
		there.Unknown = fmt.Sprintf("no answer within %v", lookFor)
	case err != nil:
		there.Unknown = strings.TrimPrefix(err.Error(), "looking at "+ours.URL()+": ")
	case h.Exists:
		there.Found = "there"
	default:
		there.For += " (it does not exist yet or is empty, which is normal before a first release)"
		there.Get += mayBePrivate(h)
	}
	return []doctor.Finding{there, c.examineCredential(client)}
}

// examineCredential reports where a credential would be read from. It does not request an ID token or contact the server.
func (c *Channels) examineCredential(client *prefixdev.Client) doctor.Finding {
	f := doctor.Finding{
		What: "a credential for " + client.Server(),
		For:  "publishing from here (a CI that the channel trusts needs none)",
		Get:  "set PREFIX_API_KEY, or " + prefixdev.LoginToFile(client.Host()) + " (keyrings are not read)",
	}
	if isOwn(client.Server()) {
		f.Get = "set PREFIX_API_KEY to the key that `mage channel:serve` shows when it starts"
	}
	switch source, err := c.Sources.Describe(client); {
	case err != nil:
		f.For += " (" + err.Error() + ")"
	default:
		f.Found = source
	}
	return f
}

// unreachableStep returns the next step for a server that cannot be reached. It does not suggest checking the connection, because doctor has just
// checked it.
func unreachableStep(server string) string {
	switch {
	case isOwn(server):
		return "start the server with `mage channel:serve`, or unset PREFIX_SERVER_URL to use prefix.dev"
	case server == prefixdev.DefaultServer:
		return "set HTTPS_PROXY to your proxy, and SSL_CERT_FILE to your own certificate authority; `mage channel:serve` and `mage rehearse` need no network"
	}
	return "correct PREFIX_SERVER_URL, or unset this variable to use prefix.dev"
}

// isOwn reports whether a server is on this machine, such as a server started by channel:serve.
func isOwn(server string) bool {
	u, err := url.Parse(server)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
