package targets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// ourChannel is our channel, with our credential. That it has no name is an error in whose chain errNoChannel stands.
func (a *app) ourChannel(w *workspace.Workspace) (*prefixdev.Client, *prefixdev.Channel, error) {
	client, err := newChannelClient()
	if err != nil {
		return nil, nil, err
	}
	if channelName(w) == "" {
		return client, nil, noChannel(w)
	}
	c, err := a.channel(client, channelName(w))
	return client, c, err
}

// channel is a channel of a server, the same one for a whole run. On the server of our channel it has our credential.
func (a *app) channel(client *prefixdev.Client, name string) (*prefixdev.Channel, error) {
	c, err := client.Channel(name)
	if err != nil {
		return nil, err
	}
	a.channels.mu.Lock()
	defer a.channels.mu.Unlock()
	if known := a.channels.by[c.URL()]; known != nil {
		return known, nil
	}
	if ours, err := newChannelClient(); err == nil && ours.Server() == client.Server() {
		if a.channels.key == nil {
			a.channels.key = prefixdev.NewKey(func(ctx context.Context) (prefixdev.Credential, error) { return credential(ctx, client, a.publishes) })
		}
		c.Use(a.channels.key)
	}
	if a.channels.by == nil {
		a.channels.by = map[string]*prefixdev.Channel{}
	}
	a.channels.by[c.URL()] = c
	return c, nil
}

// channels are those that a run has opened, by URL.
type channels struct {
	mu  sync.Mutex
	by  map[string]*prefixdev.Channel
	key *prefixdev.Key // of all of them that are on the server of our channel; nil before the first
}

var errNoChannel = errors.New("it is not said which channel its packages go to")

// noChannel says that a channel has to be named. The name of a folder does not count: what is cloned into a folder src has nothing
// to do with the channel src.
func noChannel(w *workspace.Workspace) error {
	why := fmt.Sprintf("the workspace %s has no name in %s", w.Manifest.Name, w.Manifest.Path)
	if !w.Manifest.ByFolder {
		why = fmt.Sprintf("a channel cannot have the name of the workspace, %q", w.Manifest.Name)
	}
	return operr.New(sayChannel(w), "%s, and %w", why, errNoChannel)
}

func sayChannel(w *workspace.Workspace) string {
	return "write `channel = \"NAME\"` into [tool.release] of " + w.Manifest.Path + ", or set PREFIX_CHANNEL"
}

// credential finds the credential of our channel. An API key is shown to the server, so that a wrong one is known before
// anything is built. An ID token of a CI is good once, and asked for where something may be published alone.
func credential(ctx context.Context, client *prefixdev.Client, publishes bool) (prefixdev.Credential, error) {
	sources := credentialSources()
	find := sources.Credential
	if !publishes {
		find = sources.Stored
	}
	c, err := find(ctx, client)
	if err != nil || c.Minted {
		return c, err
	}
	login, err := client.Login(ctx, c.Token)
	if err == nil && login == "" {
		return c, operr.New("make a new key on "+client.Server(), "%s does not know the token of %s", client.Server(), c.Source)
	}
	if err == nil {
		c.Account = login // else it does not answer that question: the upload will tell
	}
	return c, context.Cause(ctx)
}

// lookFor is how long doctor waits for the channel.
const lookFor = 5 * time.Second

// examineChannel looks for our channel, and for what may publish to it.
func (a *app) examineChannel(ctx context.Context) []view.Finding {
	w, err := a.workspace()
	if err != nil {
		return nil // said already
	}
	client, c, err := a.ourChannel(w)
	switch {
	case errors.Is(err, errNoChannel):
		return []view.Finding{{What: "the channel's name", For: "publishing (" + err.Error() + ")", Get: sayChannel(w)}, findingOf(credentialSources(), client)}
	case err != nil && client == nil:
		return []view.Finding{{What: "the channel's address", For: "publishing (" + err.Error() + ")", Get: "correct PREFIX_SERVER_URL"}}
	case err != nil:
		return []view.Finding{{What: "the channel's name", For: "publishing (" + err.Error() + ")", Get: "correct it in " + channelFrom(w)}}
	}
	there := view.Finding{What: "the channel " + c.URL(), For: "publishing", Get: firstRelease(w, client, c.Name())}
	looking, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	h, err := publish.Look(looking, c, w.Packages)
	if err != nil {
		there.Get = cmp.Or(operr.CureOf(err), "see whether "+client.Server()+" can be reached from here")
	}
	var unreachable *httpclient.UnreachableError
	switch {
	case errors.As(err, &unreachable): // also where trying again took all the time
		there.Unknown = unreachable.Error()
	case err != nil && looking.Err() != nil:
		there.Unknown = fmt.Sprintf("no answer within %v", lookFor)
	case err != nil:
		there.Unknown = strings.TrimPrefix(err.Error(), "looking at "+c.URL()+": ")
	case h.Exists:
		there.Found = "there"
	default:
		there.For += " (it is not there yet, or empty, as before a first release)"
		there.Get += sayPrivate(h)
	}
	return []view.Finding{there, findingOf(credentialSources(), client)}
}

// findingOf says where a credential would come from. None is asked for.
func findingOf(s prefixdev.Sources, client *prefixdev.Client) view.Finding {
	f := view.Finding{
		What: "a credential for " + client.Server(),
		For:  "publishing from here (a CI that the channel trusts needs none)",
		Get:  "set PREFIX_API_KEY, or " + prefixdev.LoginToFile(client.Host()) + " (keyrings are not read)",
	}
	switch source, err := s.Describe(client); {
	case err != nil:
		f.For += " (" + err.Error() + ")"
	default:
		f.Found = source
	}
	return f
}
