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

// channelAlias is the base URL that pixi prepends to a channel given by name.
const channelAlias = "https://conda.anaconda.org/"

// ChannelURL returns the URL of a channel as spelled in a manifest. It returns paths unchanged (rattler_conda_types, NamedChannelOrUrl).
func ChannelURL(name string) string {
	isPath := slices.ContainsFunc([]string{"./", "..", "~", "/", `\\`, "file:"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	if strings.Contains(name, "://") || isPath {
		return name
	}
	return channelAlias + name
}

// ToRead returns the channel at an address. For a private channel, it uses the server's login in the credentials file. It returns
// *available.UnreadError if the address is not http or https, or if the server requires a kind of login that pixi supports and this program does
// not.
func ToRead(ctx context.Context, address, authFile string) (*prefixdev.Channel, error) {
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil {
		return nil, operr.New("correct the URL of the channel", "the channel %s: %w", address, err)
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
		return nil, operr.New("run the same command again", "asking %s whether the channel is private: %w", c.URL(), err)
	case otherKind:
		return nil, &available.UnreadError{Address: c.URL()}
	}
	return nil, operr.New("log in again with `pixi auth login`, into the file that RATTLER_AUTH_FILE names", "%s requires a login, but refused %s: %w", c.URL(), login, err)
}

// addLogin returns a client that uses the server's login in a credentials file, and the name of the entry in the file. If the file has no login for
// the server, or on error, it returns the client unchanged.
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

// askOpenly requests a file that every channel has, without a login. For a private channel, prefix.dev responds with "not found".
func askOpenly(ctx context.Context, c *prefixdev.Channel) error {
	f, err := c.Open(ctx, condapkg.NoarchSubdir, repodata.JSON)
	if err != nil {
		return err
	}
	return f.Close()
}

// isRefusal reports whether a server denies access to a file, or hides its existence.
func isRefusal(err error) bool {
	return errors.Is(err, channel.ErrUnauthorized) || errors.Is(err, channel.ErrForbidden) || errors.Is(err, channel.ErrNotFound)
}
