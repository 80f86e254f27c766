package store

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

// group contains the entries of one package in a subdir. It is immutable, so its shard is rendered at most once.
type group struct {
	entries []*repodata.Entry // sorted
	once    sync.Once
	digest  repodata.Digest
}

// `with` returns a copy of the group with the entry e, which replaces an entry for the same file. The group may be nil.
func (g *group) with(e *repodata.Entry) *group {
	next := &group{}
	if g != nil {
		next.entries = g.others(e.File)
	}
	next.entries = append(next.entries, e)
	repodata.Sort(next.entries)
	return next
}

// `without` returns a copy of the group without a file, or nil if no entry is left.
func (g *group) without(file string) *group {
	if rest := g.others(file); len(rest) > 0 {
		return &group{entries: rest}
	}
	return nil
}

func (g *group) others(file string) []*repodata.Entry {
	return slices.DeleteFunc(slices.Clone(g.entries), func(e *repodata.Entry) bool { return e.File == file })
}

// rendered is an index file in memory.
type rendered struct {
	data []byte
	etag string
}

func render(data []byte) rendered {
	sum := sha256.Sum256(data)
	return rendered{data: data, etag: `"` + hex.EncodeToString(sum[:]) + `"`}
}

// view is a snapshot of a subdir's index. Each file is rendered when it is first requested.
type view struct{ json, zst, shards func() rendered }

// view returns a snapshot of the current index. The snapshot is cached until the next change.
func (d *subdir) view() *view {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil {
		return d.current
	}
	entries := make([]*repodata.Entry, 0, len(d.entries))
	for _, e := range d.entries {
		entries = append(entries, e)
	}
	groups := make([]*group, 0, len(d.groups))
	for _, g := range d.groups {
		groups = append(groups, g)
	}
	v := &view{}
	v.json = sync.OnceValue(func() rendered {
		repodata.Sort(entries)
		return render(repodata.Encode(d.name, entries))
	})
	v.zst = sync.OnceValue(func() rendered { return render(repodata.Compress(v.json().data)) })
	v.shards = sync.OnceValue(func() rendered { return render(d.renderShards(groups)) })
	d.current = v
	return v
}

// renderShards renders the missing shards and returns the shard index.
func (d *subdir) renderShards(groups []*group) []byte {
	digests := make(map[string]repodata.Digest, len(groups))
	for _, g := range groups {
		g.once.Do(func() {
			var data []byte
			data, g.digest = repodata.EncodeShard(g.entries)
			d.mu.Lock()
			d.fresh[g.digest.File()] = data
			d.mu.Unlock()
		})
		digests[g.entries[0].Record.Name] = g.digest
	}
	return repodata.EncodeShards(d.name, digests)
}
