package imagejob

import (
	"context"
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/available"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// channelAlias is where pixi looks for a channel that is no more than a name.
const channelAlias = "https://conda.anaconda.org/"

// ChannelURL is the address of a channel as a manifest writes it. A path stays one (rattler_conda_types, NamedChannelOrUrl).
func ChannelURL(name string) string {
	isPath := slices.ContainsFunc([]string{"./", "..", "~", "/", `\\`, "file:"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	if strings.Contains(name, "://") || isPath {
		return name
	}
	return channelAlias + name
}

// ToRead is the channel at an address. One that is private is read with what a file of credentials has for its server.
// Errors: *image.UnreadError where there is no http or https address, and where the server wants a login of a kind that pixi
// can send and we cannot.
func ToRead(ctx context.Context, address, authFile string) (*prefixdev.Channel, error) {
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil {
		return nil, operr.New("correct it", "the channel %s: %w", address, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		u.User, u.RawQuery, u.Fragment = nil, "", ""
		return nil, &available.UnreadError{Address: u.String()}
	}
	name := path.Base(u.Path)
	u.Path = strings.TrimSuffix(path.Dir(u.Path), "/")
	client, err := prefixdev.New(prefixdev.Options{Server: u.String()})
	if err != nil {
		return nil, err
	}
	client, login, err := addLogin(ctx, client, authFile)
	otherKind := errors.Is(err, prefixdev.ErrKind)
	if err != nil && !otherKind {
		return nil, err
	}
	c, err := client.Channel(name)
	if err != nil {
		return nil, err
	}
	c.Also(repodata.TarBz2)
	c.OfOthers()
	if otherKind {
		err = askOpenly(ctx, c)
	} else {
		_, err = c.Private(ctx)
	}
	switch {
	case err == nil:
		return c, nil
	case !isRefusal(err):
		return nil, operr.New("try again", "asking %s whether it is private: %w", c.URL(), err)
	case otherKind:
		return nil, &available.UnreadError{Address: c.URL()}
	}
	return nil, operr.New("log in again with `pixi auth login`, into the file that RATTLER_AUTH_FILE names", "%s does not take the login that it wants, %s: %w", c.URL(), login, err)
}

// addLogin is a client with what a file of credentials has for its server, and where in it that stands; the client as it
// was where there is nothing, and beside an error.
func addLogin(ctx context.Context, client *prefixdev.Client, authFile string) (_ *prefixdev.Client, login string, err error) {
	if authFile == "" {
		return client, "", nil
	}
	sources := prefixdev.Sources{Files: []string{authFile}}
	login, err = sources.Describe(client)
	if err != nil || login == "" {
		return client, "", err
	}
	found, err := sources.Credential(ctx, client)
	if err != nil {
		return client, "", err
	}
	with, err := client.With(found.Token)
	if err != nil {
		return client, "", err
	}
	return with, login, nil
}

// askOpenly asks for a file that every channel has, without a login. A private channel of prefix.dev is not found then.
func askOpenly(ctx context.Context, c *prefixdev.Channel) error {
	f, err := c.Open(ctx, condapkg.NoarchSubdir, repodata.JSON)
	if err != nil {
		return err
	}
	return f.Close()
}

// isRefusal reports whether a server does not let us read, or does not let us know that there is something.
func isRefusal(err error) bool {
	return errors.Is(err, channel.ErrUnauthorized) || errors.Is(err, channel.ErrForbidden) || errors.Is(err, channel.ErrNotFound)
}
