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

// Examine looks for our channel, and for what may publish to it.
func (c *Channels) Examine(ctx context.Context, w *workspace.Workspace) []doctor.Finding {
	client, err := c.Client()
	if err != nil {
		return []doctor.Finding{{What: "the channel's address", For: "publishing (" + err.Error() + ")", Get: "correct PREFIX_SERVER_URL"}}
	}
	ours, err := c.Of(w)
	switch {
	case errors.Is(err, ErrNoName):
		return []doctor.Finding{{What: "the channel's name", For: "publishing (" + err.Error() + ")", Get: toName(w)}, c.examineCredential(client)}
	case err != nil:
		return []doctor.Finding{{What: "the channel's name", For: "publishing (" + err.Error() + ")", Get: "correct it in " + c.namedIn(w)}}
	}
	there := doctor.Finding{What: "the channel " + ours.URL(), For: "publishing", Get: firstRelease(w, client, ours.Name())}
	looking, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	h, err := publish.Look(looking, ours, w.Packages)
	if err != nil {
		there.Get = cmp.Or(operr.CureOf(err), toReach(client.Server()))
	}
	var unreachable *httpclient.UnreachableError
	switch {
	case errors.As(err, &unreachable): // also where trying again took all the time
		there.Unknown = unreachable.Error()
	case err != nil && looking.Err() != nil:
		there.Unknown = fmt.Sprintf("no answer within %v", lookFor)
	case err != nil:
		there.Unknown = strings.TrimPrefix(err.Error(), "looking at "+ours.URL()+": ")
	case h.Exists:
		there.Found = "there"
	default:
		there.For += " (it is not there yet, or empty, as before a first release)"
		there.Get += mayBePrivate(h)
	}
	return []doctor.Finding{there, c.examineCredential(client)}
}

// examineCredential says where a credential would come from. None is asked for.
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

// toReach is what a person can do about a server that cannot be reached. To look whether it can is what was just done.
func toReach(server string) string {
	switch {
	case isOwn(server):
		return "start it by `mage channel:serve`, or unset PREFIX_SERVER_URL: then it is prefix.dev's"
	case server == prefixdev.DefaultServer:
		return "HTTPS_PROXY names a proxy, and SSL_CERT_FILE an authority of your own; without any network `mage channel:serve` and `mage rehearse` do"
	}
	return "correct PREFIX_SERVER_URL, or unset it: then it is prefix.dev's"
}

// isOwn reports whether a server is on this machine, as that of channel:serve is.
func isOwn(server string) bool {
	u, err := url.Parse(server)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
