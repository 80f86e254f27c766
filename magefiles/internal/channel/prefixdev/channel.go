package prefixdev

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Channel is one channel of a server.
type Channel struct {
	client  *Client
	name    string
	privacy atomic.Int32
	also    []repodata.Format
	others  bool
}

// Also lets Records and Forms tell of packages in other formats than .conda. What publishes and downloads knows only that.
func (c *Channel) Also(formats ...repodata.Format) { c.also = formats }

// OfOthers says that it is not the channel that is published to: its index may be far larger, and what in it cannot be true
// is passed over.
func (c *Channel) OfOthers() { c.others = true }

// limits are those for the channel's index.
func (c *Channel) limits() repodata.Limits {
	if c.others {
		return repodata.Elsewhere
	}
	return repodata.Own
}

// What is known of a channel's privacy.
const (
	unknown int32 = iota // not asked yet, or the channel was not there
	public
	private
)

var _ channel.Channel = (*Channel)(nil)

// URL is the channel's address, as it stands in a manifest.
func (c *Channel) URL() string { return c.client.url(c.name).String() }

// Name is the channel's name.
func (c *Channel) Name() string { return c.name }

// Private says whether the channel can be read only with the token; from then on it is read with it. What people can read
// is read as they do, without it, so that what is seen here is what they see. A first upload asks by itself.
func (c *Channel) Private(ctx context.Context) (bool, error) {
	return c.private(ctx, "noarch", repodata.JSON)
}

// private is Private, by a file that is known to be there if the channel is.
func (c *Channel) private(ctx context.Context, subdir, file string) (bool, error) {
	if known := c.privacy.Load(); known != unknown || c.client.token == "" {
		return known == private, nil
	}
	url := c.client.url(c.name, subdir, file).String()
	ignore := func(io.Reader) error { return nil }
	err := c.client.read(ctx, url, "", ignore)
	if err == nil {
		c.privacy.Store(public)
		return false, nil
	}
	if !errors.Is(err, channel.ErrNotFound) && !errors.Is(err, channel.ErrUnauthorized) && !errors.Is(err, channel.ErrForbidden) {
		return false, err
	}
	err = c.client.read(ctx, url, c.client.token, ignore)
	if errors.Is(err, channel.ErrNotFound) {
		return false, nil // it does not exist
	}
	if err == nil {
		c.privacy.Store(private)
	}
	return err == nil, err
}

// readToken is what the channel is read with.
func (c *Channel) readToken() Token {
	if c.privacy.Load() == private {
		return c.client.token
	}
	return ""
}

// Open implements channel.Channel, past caches. Nothing is read ahead.
func (c *Channel) Open(ctx context.Context, subdir, file string) (*channel.File, error) {
	return c.client.open(ctx, c.client.url(c.name, subdir, file).String(), c.readToken())
}

// ReadWhole gives use the contents of a file, past caches, and from the beginning again where the connection breaks off.
func (c *Channel) ReadWhole(ctx context.Context, subdir, file string, use func(io.Reader) error) error {
	return c.client.read(ctx, c.client.url(c.name, subdir, file).String(), c.readToken(), use)
}

// Records implements channel.Channel, past caches. Of packages that are named it asks as a solver does: the sharded
// index, and then one shard for each; where the server has no shards, and for all records, it reads repodata.json.
func (c *Channel) Records(ctx context.Context, subdir string, names ...string) ([]condapkg.Record, error) {
	if len(names) > 0 {
		records, err := c.sharded(ctx, subdir, names)
		if !errors.Is(err, channel.ErrNotFound) {
			return records, err
		}
	}
	records, err := c.compressed(ctx, subdir, names)
	if errors.Is(err, channel.ErrNotFound) {
		records, err = c.plain(ctx, subdir, names)
	}
	if err != nil || len(names) == 0 {
		return records, err
	}
	return named(records, names), nil
}

// Forms reads the index of a subdir in every form that a solver may read, past caches, for the packages named.
func (c *Channel) Forms(ctx context.Context, subdir string, names ...string) []channel.Form {
	read := func(form string, records []condapkg.Record, err error) channel.Form {
		if errors.Is(err, channel.ErrNotFound) {
			return channel.Form{Name: form}
		}
		return channel.Form{Name: form, Offered: true, Records: named(records, names), Err: err}
	}
	forms := make([]channel.Form, 3)
	var group sync.WaitGroup // one that is slow must not take the others' time
	group.Go(func() { r, err := c.plain(ctx, subdir, names); forms[0] = read(repodata.JSON, r, err) })
	group.Go(func() { r, err := c.compressed(ctx, subdir, names); forms[1] = read(repodata.JSONZst, r, err) })
	group.Go(func() { r, err := c.sharded(ctx, subdir, names); forms[2] = read(repodata.Shards, r, err) })
	group.Wait()
	return forms
}

func named(records []condapkg.Record, names []string) (found []condapkg.Record) {
	for _, r := range records {
		if slices.Contains(names, r.Name) {
			found = append(found, r)
		}
	}
	return found
}

// plain reads the records of the packages named, or all, from repodata.json.
func (c *Channel) plain(ctx context.Context, subdir string, names []string) (records []condapkg.Record, err error) {
	err = c.ReadWhole(ctx, subdir, repodata.JSON, func(f io.Reader) error {
		records, err = c.limits().Decode(f, names, c.also...)
		return err
	})
	return records, err
}

// compressed reads the records of the packages named, or all, from repodata.json.zst.
func (c *Channel) compressed(ctx context.Context, subdir string, names []string) (records []condapkg.Record, err error) {
	err = c.ReadWhole(ctx, subdir, repodata.JSONZst, func(f io.Reader) error {
		z, err := c.limits().Decompress(f)
		if err != nil {
			return err
		}
		defer z.Close()
		records, err = c.limits().Decode(z, names, c.also...)
		return err
	})
	return records, err
}

// sharded reads the records of the packages named from the sharded index. A shard is checked against its digest.
// Errors: ErrNotFound where the server has no sharded index.
func (c *Channel) sharded(ctx context.Context, subdir string, names []string) ([]condapkg.Record, error) {
	var index repodata.ShardIndex
	err := c.ReadWhole(ctx, subdir, repodata.Shards, func(f io.Reader) (err error) {
		index, err = c.limits().DecodeShards(f)
		return err
	})
	if err != nil {
		return nil, err
	}
	// A URL without a slash at its end would lose its last part when something is resolved against it.
	base, err := c.client.url(c.name, subdir, "/").Parse(index.ShardsBaseURL)
	if err != nil || base.Scheme != "https" && base.Scheme != c.client.base.Scheme {
		return nil, operr.New(nextOfLies, "reading %s: its shards are at an address that is not read: %.200q",
			c.client.url(c.name, subdir, repodata.Shards), index.ShardsBaseURL)
	}
	var records []condapkg.Record
	for _, name := range names {
		digest, ok := index.Shards[name]
		if !ok {
			continue
		}
		shard, err := c.shard(ctx, base.JoinPath(digest.File()[len(repodata.ShardDir):]), digest, name)
		if err != nil {
			return nil, err
		}
		records = append(records, shard...)
	}
	return records, nil
}

// shard reads one shard. One that the index names and that is not there is the index's fault, and no lack of shards.
func (c *Channel) shard(ctx context.Context, url *url.URL, digest repodata.Digest, name string) (records []condapkg.Record, err error) {
	token := c.readToken()
	if !httpclient.SameOrigin(url, c.client.base) {
		token = ""
	}
	err = c.client.read(ctx, url.String(), token, func(f io.Reader) error {
		records, err = c.limits().DecodeShard(f, digest, name, c.also...)
		return err
	})
	if errors.Is(err, channel.ErrNotFound) {
		return nil, channel.Errorf(channel.ErrUnavailable, "the sharded index names a shard that is not there: %v", err)
	}
	return records, err
}

// Delete implements channel.Channel.
func (c *Channel) Delete(ctx context.Context, subdir, file string) error {
	if err := c.remove(ctx, subdir, file); err != nil {
		return operr.New("see whether "+c.client.Server()+" is well, and whether the key may remove from the channel", "removing %s from %s: %w", file, c.URL(), err)
	}
	return nil
}

func (c *Channel) remove(ctx context.Context, subdir, file string) error {
	ctx, w := httpclient.NewWatch(ctx, c.client.patience)
	defer w.Stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, c.client.url("api/v1/delete", c.name, subdir, file).String(), nil)
	if err != nil {
		return err
	}
	answer, err := c.client.write(r, w)
	if err != nil {
		return err
	}
	return answer.err
}
