package prefixdev

import (
	"context"
	"errors"
	"fmt"
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
//
// It is read as anyone reads it, so that what is seen here is what people see. Where that shows nothing (401, 403 or 404) and the channel
// has a key, it is asked with the key whether it is private, and read with the key from then on.
type Channel struct {
	client  *Client
	name    string
	key     *Key // nil for none
	privacy atomic.Int32
	indexed atomic.Bool // the key has shown its index
	also    []repodata.Format
	others  bool

	mu     sync.Mutex
	unseen error // see Unseen
}

// Use gives the channel the key of an operation, for what changes it, and for reading where nobody sees it without.
func (c *Channel) Use(k *Key) { c.key = k }

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

// Server is the address of the server that it is on.
func (c *Channel) Server() string { return c.client.Server() }

// Private reports whether the channel can be read only with the key. Where that cannot be known, since there is no key, it is false, and
// Unseen has the reason.
func (c *Channel) Private(ctx context.Context) (bool, error) {
	return c.private(ctx, condapkg.NoarchSubdir, repodata.JSON)
}

// private is Private, by a file that is known to be there if the channel is.
func (c *Channel) private(ctx context.Context, subdir, file string) (bool, error) {
	if known := c.privacy.Load(); known != unknown || c.key == nil {
		return known == private, nil
	}
	url := c.client.url(c.name, subdir, file).String()
	ignore := func(io.Reader) error { return nil }
	err := c.client.read(ctx, url, "", ignore)
	if err == nil {
		c.privacy.Store(public)
		return false, nil
	}
	if !mayBeHidden(err) {
		return false, err
	}
	found, err := c.key.Get(ctx)
	c.setUnseen(err)
	if err != nil {
		return false, context.Cause(ctx)
	}
	err = c.client.read(ctx, url, found.Token, ignore)
	if errors.Is(err, channel.ErrNotFound) {
		return false, nil // it does not exist
	}
	if err == nil {
		c.indexed.Store(c.indexed.Load() || file == repodata.JSON)
		c.privacy.Store(private)
	}
	return err == nil, err
}

// mayBeHidden reports whether an error may mean that the asker lacks a credential.
func mayBeHidden(err error) bool {
	return errors.Is(err, channel.ErrNotFound) || errors.Is(err, channel.ErrUnauthorized) || errors.Is(err, channel.ErrForbidden)
}

func (c *Channel) setUnseen(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unseen = err
}

// Unseen is why a channel that showed nothing to anyone was not asked with a credential: it may be private. It is nil for one that was
// asked, or seen.
func (c *Channel) Unseen() error {
	if c.privacy.Load() != unknown {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unseen
}

// Authorize finds the right to change the channel, without changing anything. Its errors say where no credential was found.
func (c *Channel) Authorize(ctx context.Context) (channel.Access, error) {
	if c.key == nil {
		return channel.Access{}, fmt.Errorf("%w for %s", ErrNone, c.URL())
	}
	found, err := c.key.Get(ctx)
	return channel.Access{Source: found.Source, Account: found.Account, Minted: found.Minted}, err
}

// reading has try read the channel: as anyone, or with the key's token where nobody sees it otherwise.
func (c *Channel) reading(ctx context.Context, try func(token Token) error) error {
	if c.privacy.Load() == private {
		return c.bearing(ctx, try)
	}
	err := try("")
	if err == nil {
		c.privacy.CompareAndSwap(unknown, public)
	}
	if c.key == nil || !mayBeHidden(err) || c.privacy.Load() == public {
		return err
	}
	found, perr := c.Private(ctx)
	switch {
	case perr != nil:
		return perr
	case found:
		return c.bearing(ctx, try)
	}
	return c.NotSeen(ctx, err)
}

// bearing reads with the key. What a CI gave may have ended since: then another one is asked for, once.
func (c *Channel) bearing(ctx context.Context, try func(token Token) error) error {
	held, err := c.key.Get(ctx)
	if err != nil {
		return err
	}
	if err = c.explainAbsence(ctx, held, try(held.Token)); !errors.Is(err, channel.ErrUnauthorized) {
		return err
	}
	fresh, ferr := c.key.Fresh(ctx)
	if ferr != nil || fresh.Token == held.Token {
		return explainEnd(err, ferr)
	}
	return c.explainAbsence(ctx, fresh, try(fresh.Token))
}

// explainAbsence says what came of reading with a credential. A private channel is not there for one that has ended, or was revoked: where its index was
// shown before and is not there now either, that is what a file's absence means.
func (c *Channel) explainAbsence(ctx context.Context, held Credential, err error) error {
	if !errors.Is(err, channel.ErrNotFound) || !c.indexed.Load() {
		return err
	}
	index := c.client.url(c.name, condapkg.NoarchSubdir, repodata.JSON).String()
	switch ierr := c.client.read(ctx, index, held.Token, func(io.Reader) error { return nil }); {
	case ierr == nil:
		return err
	case !mayBeHidden(ierr):
		return ierr
	}
	return operr.New("see whether the credential has ended or was revoked; with a new one, run it again",
		"%w", channel.Errorf(channel.ErrUnauthorized, "%s was there for who has %s, and is not any more", c.URL(), held.Source))
}

// NotSeen adds to an error of a channel that showed nothing with what it was asked.
func (c *Channel) NotSeen(ctx context.Context, err error) error {
	if c.key == nil || c.privacy.Load() != unknown {
		return err
	}
	switch unseen := c.Unseen(); {
	case errors.Is(unseen, ErrNone):
		return operr.New(operr.NextOf(err), "%w (none that anyone can see; a private channel is asked with the key in PREFIX_API_KEY)", err)
	case unseen != nil:
		return operr.New(operr.NextOf(err), "%w (none that anyone can see, and whether it is private cannot be asked: %v)", err, unseen)
	}
	found, kerr := c.key.Get(ctx)
	if kerr != nil || found.Source == "" {
		return err
	}
	return operr.New(operr.NextOf(err), "%w (none that anyone can see, nor who has %s)", err, found.Source)
}

// Open implements channel.Channel, past caches. Nothing is read ahead.
func (c *Channel) Open(ctx context.Context, subdir, file string) (f *channel.File, err error) {
	err = c.reading(ctx, func(token Token) (err error) {
		f, err = c.client.open(ctx, c.client.url(c.name, subdir, file).String(), token)
		return err
	})
	return f, err
}

// ReadWhole gives use the contents of a file, past caches, and from the beginning again where the connection breaks off.
func (c *Channel) ReadWhole(ctx context.Context, subdir, file string, use func(io.Reader) error) error {
	return c.reading(ctx, func(token Token) error { return c.readWhole(ctx, token, subdir, file, use) })
}

func (c *Channel) readWhole(ctx context.Context, token Token, subdir, file string, use func(io.Reader) error) error {
	return c.client.read(ctx, c.client.url(c.name, subdir, file).String(), token, use)
}

// Records implements channel.Channel, past caches. Of packages that are named it asks as a solver does: the sharded
// index, and then one shard for each; where the server has no shards, and for all records, it reads repodata.json.
func (c *Channel) Records(ctx context.Context, subdir string, names ...string) (records []condapkg.Record, err error) {
	err = c.reading(ctx, func(token Token) (err error) {
		records, err = c.records(ctx, token, subdir, names)
		return err
	})
	return records, err
}

func (c *Channel) records(ctx context.Context, token Token, subdir string, names []string) ([]condapkg.Record, error) {
	if len(names) > 0 {
		records, err := c.readSharded(ctx, token, subdir, names)
		if !errors.Is(err, channel.ErrNotFound) {
			return records, err
		}
	}
	records, err := c.readCompressed(ctx, token, subdir, names)
	if errors.Is(err, channel.ErrNotFound) {
		records, err = c.readPlain(ctx, token, subdir, names)
	}
	if err != nil || len(names) == 0 {
		return records, err
	}
	return selectNamed(records, names), nil
}

// Forms reads the index of a subdir in every form that a solver may read, past caches, for the packages named.
func (c *Channel) Forms(ctx context.Context, subdir string, names ...string) []channel.Form {
	forms := make([]channel.Form, 3)
	var group sync.WaitGroup // one that is slow must not take the others' time
	read := func(n int, form string, records func(context.Context, Token, string, []string) ([]condapkg.Record, error)) {
		group.Go(func() {
			var found []condapkg.Record
			err := c.reading(ctx, func(token Token) (err error) {
				found, err = records(ctx, token, subdir, names)
				return err
			})
			forms[n] = channel.Form{Name: form, Offered: true, Records: selectNamed(found, names), Err: err}
			if errors.Is(err, channel.ErrNotFound) {
				forms[n] = channel.Form{Name: form}
			}
		})
	}
	read(0, repodata.JSON, c.readPlain)
	read(1, repodata.JSONZst, c.readCompressed)
	read(2, repodata.Shards, c.readSharded)
	group.Wait()
	return forms
}

func selectNamed(records []condapkg.Record, names []string) (found []condapkg.Record) {
	for _, r := range records {
		if slices.Contains(names, r.Name) {
			found = append(found, r)
		}
	}
	return found
}

// readPlain reads the records of the packages named, or all, from repodata.json.
func (c *Channel) readPlain(ctx context.Context, token Token, subdir string, names []string) (records []condapkg.Record, err error) {
	err = c.readWhole(ctx, token, subdir, repodata.JSON, func(f io.Reader) error {
		records, err = c.limits().Decode(f, names, c.also...)
		return err
	})
	return records, err
}

// readCompressed reads the records of the packages named, or all, from repodata.json.zst.
func (c *Channel) readCompressed(ctx context.Context, token Token, subdir string, names []string) (records []condapkg.Record, err error) {
	err = c.readWhole(ctx, token, subdir, repodata.JSONZst, func(f io.Reader) error {
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

// readSharded reads the records of the packages named from the sharded index. A shard is checked against its digest.
// Errors: ErrNotFound where the server has no sharded index.
func (c *Channel) readSharded(ctx context.Context, token Token, subdir string, names []string) ([]condapkg.Record, error) {
	var index repodata.ShardIndex
	err := c.readWhole(ctx, token, subdir, repodata.Shards, func(f io.Reader) (err error) {
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
		shard, err := c.readShard(ctx, token, base.JoinPath(digest.File()[len(repodata.ShardDir):]), digest, name)
		if err != nil {
			return nil, err
		}
		records = append(records, shard...)
	}
	return records, nil
}

// readShard reads one shard. One that the index names and that is not there is the index's fault, and no lack of shards.
func (c *Channel) readShard(ctx context.Context, token Token, url *url.URL, digest repodata.Digest, name string) (records []condapkg.Record, err error) {
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
	token, late, err := c.fresh(ctx)
	if err != nil {
		return err
	}
	return explainEnd(c.client.write(r, token, w), late)
}

// fresh is what the channel is changed with; "" for a channel without a key. Where what is held may have ended, and there is no other, late
// is why.
func (c *Channel) fresh(ctx context.Context) (token Token, late, err error) {
	if c.key == nil {
		return "", nil, nil
	}
	found, err := c.key.Fresh(ctx)
	if found.Token == "" {
		return "", nil, err
	}
	return found.Token, err, nil
}

// explainEnd adds to a refusal why the credential is an old one, where it is.
func explainEnd(refused, late error) error {
	if late == nil || !errors.Is(refused, channel.ErrUnauthorized) {
		return refused
	}
	return fmt.Errorf("%w (the credential may have ended, and there is no other: %v)", refused, late)
}
