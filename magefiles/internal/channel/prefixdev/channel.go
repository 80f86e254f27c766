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

// Channel is a channel on a server.
//
// By default it is read without a credential, so that this program sees what all users see. If this fails with 401, 403 or 404 and the channel
// has a key, the request is repeated with the key to find out whether the channel is private. A private channel is read with the key from then
// on.
type Channel struct {
	client  *Client
	name    string
	key     *Key // nil for none
	privacy atomic.Int32
	indexed atomic.Bool // whether the index was read with the key
	also    []repodata.Format
	others  bool

	mu     sync.Mutex
	unseen error // see Unseen
}

// Use sets the key for changing the channel. The key is also used for reading if the channel is private.
func (c *Channel) Use(k *Key) { c.key = k }

// Also makes Records and Forms include packages in the given formats, in addition to .conda. Only .conda packages can be published and
// downloaded.
func (c *Channel) Also(formats ...repodata.Format) { c.also = formats }

// OfOthers marks the channel as one to which this program does not publish. Its index may be much larger, and invalid entries in it are skipped.
func (c *Channel) OfOthers() { c.others = true }

// limits returns the size limits for the channel's index.
func (c *Channel) limits() repodata.Limits {
	if c.others {
		return repodata.Elsewhere
	}
	return repodata.Own
}

// States of Channel.privacy.
const (
	unknown int32 = iota // not checked yet, or the channel did not exist
	public
	private
)

var _ channel.Channel = (*Channel)(nil)

// URL returns the channel's address, as written in a manifest.
func (c *Channel) URL() string { return c.client.url(c.name).String() }

// Name returns the channel's name.
func (c *Channel) Name() string { return c.name }

// Server returns the address of the channel's server.
func (c *Channel) Server() string { return c.client.Server() }

// Private reports whether the channel can be read only with the key. If there is no credential, this cannot be determined: Private returns false,
// and Unseen returns the reason.
func (c *Channel) Private(ctx context.Context) (bool, error) {
	return c.private(ctx, condapkg.NoarchSubdir, repodata.JSON)
}

// private is like Private, but checks for the given file.
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
		return false, nil // the channel does not exist
	}
	if err == nil {
		c.indexed.Store(c.indexed.Load() || file == repodata.JSON)
		c.privacy.Store(private)
	}
	return err == nil, err
}

// mayBeHidden reports whether a request may have failed because it had no credential.
func mayBeHidden(err error) bool {
	return errors.Is(err, channel.ErrNotFound) || errors.Is(err, channel.ErrUnauthorized) || errors.Is(err, channel.ErrForbidden)
}

func (c *Channel) setUnseen(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unseen = err
}

// Unseen returns the reason why the channel could not be read with a credential after a read without one failed. The channel may be private.
// Unseen returns nil if the channel was read, or if there was a credential.
func (c *Channel) Unseen() error {
	if c.privacy.Load() != unknown {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unseen
}

// Authorize looks up the credential for changing the channel, without changing anything. If there is none, the error lists where it was searched
// for.
func (c *Channel) Authorize(ctx context.Context) (channel.Access, error) {
	if c.key == nil {
		return channel.Access{}, fmt.Errorf("%w for %s", ErrNone, c.URL())
	}
	found, err := c.key.Get(ctx)
	return channel.Access{Source: found.Source, Account: found.Account, Minted: found.Minted}, err
}

// reading calls `try` with the key's token if the channel is private, and with "" otherwise.
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
	return c.ExplainUnseen(ctx, err)
}

// bearing calls `try` with the key's token. If a CI credential has expired, bearing requests a new credential and calls `try` once more.
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

// explainAbsence improves an ErrNotFound from a read with a credential. The server hides a private channel from an expired or revoked credential. So
// if the index was readable before and is now missing, too, explainAbsence returns an error about the credential.
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
	return operr.New("check whether the credential expired or was revoked; with a new credential, run the same command again",
		"%w", channel.Errorf(channel.ErrUnauthorized, "%s was readable with %s before, but is not readable now", c.URL(), held.Source))
}

// ExplainUnseen adds to an error for a missing channel whether it was also read with a credential, and where that credential is from.
func (c *Channel) ExplainUnseen(ctx context.Context, err error) error {
	if c.key == nil || c.privacy.Load() != unknown {
		return err
	}
	switch unseen := c.Unseen(); {
	case errors.Is(unseen, ErrNone):
		return operr.New(operr.NextOf(err), "%w (no public channel has this address; set PREFIX_API_KEY to read a private channel)", err)
	case unseen != nil:
		return operr.New(operr.NextOf(err), "%w (no public channel has this address, and no credential was found to ask for a private channel: %v)", err, unseen)
	}
	found, kerr := c.key.Get(ctx)
	if kerr != nil || found.Source == "" {
		return err
	}
	return operr.New(operr.NextOf(err), "%w (no public channel has this address, and no private channel is visible with %s)", err, found.Source)
}

// Open implements channel.Channel. It bypasses caches and does not prefetch.
func (c *Channel) Open(ctx context.Context, subdir, file string) (f *channel.File, err error) {
	err = c.reading(ctx, func(token Token) (err error) {
		f, err = c.client.open(ctx, c.client.url(c.name, subdir, file).String(), token)
		return err
	})
	return f, err
}

// ReadWhole calls `use` with the contents of a file. It bypasses caches. If the connection fails, it calls `use` again with the contents from the
// beginning.
func (c *Channel) ReadWhole(ctx context.Context, subdir, file string, use func(io.Reader) error) error {
	return c.reading(ctx, func(token Token) error { return c.readWhole(ctx, token, subdir, file, use) })
}

func (c *Channel) readWhole(ctx context.Context, token Token, subdir, file string, use func(io.Reader) error) error {
	return c.client.read(ctx, c.client.url(c.name, subdir, file).String(), token, use)
}

// Records implements channel.Channel. It bypasses caches. If names are given, it reads the sharded index and one shard per name, as a solver
// does. If there are no names, or the server has no sharded index, it reads repodata.json.zst, or falls back to repodata.json.
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

// Forms reads the records of the named packages from a subdir's index, in every form that a solver may read. It bypasses caches.
func (c *Channel) Forms(ctx context.Context, subdir string, names ...string) []channel.Form {
	forms := make([]channel.Form, 3)
	var group sync.WaitGroup // so that a slow form does not delay the others
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

// readPlain reads the records of the named packages, or all records, from repodata.json.
func (c *Channel) readPlain(ctx context.Context, token Token, subdir string, names []string) (records []condapkg.Record, err error) {
	err = c.readWhole(ctx, token, subdir, repodata.JSON, func(f io.Reader) error {
		records, err = c.limits().Decode(f, names, c.also...)
		return err
	})
	return records, err
}

// readCompressed reads the records of the named packages, or all records, from repodata.json.zst.
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

// readSharded reads the records of the named packages from the sharded index. It verifies each shard against its digest.
// Errors: ErrNotFound if the server has no sharded index.
func (c *Channel) readSharded(ctx context.Context, token Token, subdir string, names []string) ([]condapkg.Record, error) {
	var index repodata.ShardIndex
	err := c.readWhole(ctx, token, subdir, repodata.Shards, func(f io.Reader) (err error) {
		index, err = c.limits().DecodeShards(f)
		return err
	})
	if err != nil {
		return nil, err
	}
	// The slash is needed: Parse would otherwise drop the last element of the path.
	base, err := c.client.url(c.name, subdir, "/").Parse(index.ShardsBaseURL)
	if err != nil || base.Scheme != "https" && base.Scheme != c.client.base.Scheme {
		return nil, operr.New(nextOfLies, "reading %s: the index names an address for its shards that is not allowed: %.200q",
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

// readShard reads one shard. If the shard is missing, the index is wrong. readShard does not return ErrNotFound for this, because the caller
// would take it to mean that there is no sharded index.
func (c *Channel) readShard(ctx context.Context, token Token, url *url.URL, digest repodata.Digest, name string) (records []condapkg.Record, err error) {
	if !httpclient.SameOrigin(url, c.client.base) {
		token = ""
	}
	err = c.client.read(ctx, url.String(), token, func(f io.Reader) error {
		records, err = c.limits().DecodeShard(f, digest, name, c.also...)
		return err
	})
	if errors.Is(err, channel.ErrNotFound) {
		return nil, channel.Errorf(channel.ErrUnavailable, "the sharded index names a shard that the server does not have: %v", err)
	}
	return records, err
}

// Delete implements channel.Channel.
func (c *Channel) Delete(ctx context.Context, subdir, file string) error {
	if err := c.remove(ctx, subdir, file); err != nil {
		return operr.New("check that "+c.client.Server()+" answers, and that the key may remove files from the channel", "removing %s from %s: %w", file, c.URL(), err)
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

// fresh returns the token for changing the channel, or "" if the channel has no key. If the token may have expired and could not be renewed,
// `late` is the reason.
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

// explainEnd adds `late`, the reason why the credential could not be renewed, to the error for a rejected credential.
func explainEnd(refused, late error) error {
	if late == nil || !errors.Is(refused, channel.ErrUnauthorized) {
		return refused
	}
	return fmt.Errorf("%w (the credential may have expired, and no new credential was found: %v)", refused, late)
}
