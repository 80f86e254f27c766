package prefixdev

import (
	"context"
	"errors"
	"net/http"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

// Channel is one channel of a server.
type Channel struct {
	client *Client
	name   string
}

var _ channel.Channel = (*Channel)(nil)

// URL is the channel's address, as it stands in a manifest.
func (c *Channel) URL() string { return c.client.url(c.name).String() }

// Open implements channel.Channel, past caches. Nothing is read ahead.
func (c *Channel) Open(ctx context.Context, subdir, file string) (*channel.File, error) {
	return c.client.get(ctx, c.client.url(c.name, subdir, file).String())
}

// Records implements channel.Channel, past caches. Of packages that are named it asks as a solver does: the sharded
// index, and then one shard for each; where the server has no shards, and for all records, it reads repodata.json.
func (c *Channel) Records(ctx context.Context, subdir string, names ...string) ([]condapkg.Record, error) {
	if len(names) > 0 {
		records, err := c.Sharded(ctx, subdir, names...)
		if !errors.Is(err, channel.ErrNotFound) {
			return records, err
		}
	}
	records, err := c.Repodata(ctx, subdir)
	if err != nil || len(names) == 0 {
		return records, err
	}
	return named(records, names), nil
}

func named(records []condapkg.Record, names []string) (found []condapkg.Record) {
	for _, r := range records {
		for _, name := range names {
			if r.Name == name {
				found = append(found, r)
				break
			}
		}
	}
	return found
}

// Repodata reads all records of a subdir from repodata.json.zst, or from repodata.json where the server has no other.
func (c *Channel) Repodata(ctx context.Context, subdir string) ([]condapkg.Record, error) {
	f, err := c.Open(ctx, subdir, repodata.JSONZst)
	if errors.Is(err, channel.ErrNotFound) {
		if f, err = c.Open(ctx, subdir, repodata.JSON); err != nil {
			return nil, err
		}
		defer f.Close()
		return repodata.Decode(f)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := repodata.Decompress(f)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return repodata.Decode(z)
}

// Sharded reads the records of the packages named from the sharded index. A shard is checked against its digest.
// Errors: ErrNotFound where the server has no sharded index.
func (c *Channel) Sharded(ctx context.Context, subdir string, names ...string) ([]condapkg.Record, error) {
	f, err := c.Open(ctx, subdir, repodata.Shards)
	if err != nil {
		return nil, err
	}
	index, err := repodata.DecodeShards(f)
	f.Close()
	if err != nil {
		return nil, err
	}
	// A URL without a slash at its end would lose its last part when something is resolved against it.
	base, err := c.client.url(c.name, subdir, "/").Parse(index.ShardsBaseURL)
	if err != nil {
		return nil, err
	}
	var records []condapkg.Record
	for _, name := range names {
		digest, ok := index.Shards[name]
		if !ok {
			continue
		}
		shard, err := c.shard(ctx, base.JoinPath(digest.File()[len(repodata.ShardDir):]).String(), digest)
		if err != nil {
			return nil, err
		}
		records = append(records, shard...)
	}
	return records, nil
}

func (c *Channel) shard(ctx context.Context, url string, digest repodata.Digest) ([]condapkg.Record, error) {
	f, err := c.client.get(ctx, url)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return repodata.DecodeShard(f, digest)
}

// Delete implements channel.Channel.
func (c *Channel) Delete(ctx context.Context, subdir, file string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, c.client.url("api/v1/delete", c.name, subdir, file).String(), nil)
	if err != nil {
		return err
	}
	answer, err := c.client.write(r)
	if err != nil {
		return err
	}
	return answer.err
}
