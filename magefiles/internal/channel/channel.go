// Package channel is what a conda channel can do, whatever it is: a folder (channel/store), prefix.dev over HTTP
// (channel/prefixdev), or one in front of another (channel/server serves any Channel).
//
// A channel has one folder for each platform and one for noarch, its subdirs. Each holds artifacts (.conda files) and
// the index that clients read: repodata.json, the same compressed, and the sharded form (repodata_shards.msgpack.zst
// and one shard per package name under shards/). What is published is never replaced, unless by force: clients keep
// digests of it in lock files.
//
// The errors are one table for both sides of the wire: the server turns them into a status, and the client turns the
// status into them, so that errors.Is gives the same answer for a folder and for a server on another continent. All
// implementations pass the suite in channeltest.
package channel

import (
	"context"
	"io"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// Channel is one channel. Its methods may be called side by side.
type Channel interface {
	// Put publishes an artifact. When it returns without an error the artifact outlasts a loss of power, and every reader
	// of this channel finds it and its record, as far as no cache lies between.
	//
	// Where the channel has the file already, the same bytes are no error (see Receipt.Existed); other bytes are an
	// *ExistsError, unless by force.
	//
	// Errors: ErrExists, ErrInvalid (what the artifact says of itself), ErrMalformed, ErrTooLarge, ErrUnauthorized,
	// ErrForbidden, ErrNotFound (no such channel).
	Put(ctx context.Context, u Upload) (Receipt, error)

	// Records returns the records of a subdir in the order of their file names: those of the packages named, or all. A
	// name that the channel does not have is no error.
	// Errors: ErrNotFound (no such channel or subdir).
	Records(ctx context.Context, subdir string, names ...string) ([]condapkg.Record, error)

	// Open opens a file of a subdir: an artifact, or one of the files of the index (see the constants of package
	// condapkg/repodata). What was put before is in it. The caller closes it.
	// Errors: ErrNotFound.
	Open(ctx context.Context, subdir, file string) (*File, error)

	// Delete removes an artifact and its record. prefix.dev's own advice is not to: lock files refer to it.
	// Errors: ErrNotFound, ErrUnauthorized, ErrForbidden.
	Delete(ctx context.Context, subdir, file string) error
}

// Upload is an artifact on this machine that is to be published.
type Upload struct {
	File   string          // its name on the channel, such as "a-1.0-pyh4616a5c_0.conda"
	Path   string          // where its bytes are
	Record condapkg.Record // its digests, its size, and what it says of itself, read from Path
	Force  bool            // replace a file of that name that has other bytes
	Owned  bool            // the channel may take the file at Path away, by renaming it, instead of copying it

	// Attestation is a sigstore bundle about the artifact (CEP 27), in JSON; nil for none. A channel that has the artifact
	// already does not add it.
	Attestation []byte

	// Sent is told how many bytes of the file are out, from zero again for every attempt. It may be nil, and is called from
	// one goroutine at a time.
	Sent func(bytes int64)
}

// NewUpload reads the artifact at path, once, and prepares to publish it under its base name. The record has no MD5: a
// channel that keeps one computes it.
func NewUpload(path string) (Upload, error) {
	r, err := condapkg.Identify(path)
	if err != nil {
		return Upload{}, err
	}
	u := Upload{File: filepath.Base(path), Path: path, Record: r}
	return u, r.CheckFileName(u.File)
}

// Check says, as an ErrInvalid, what would make the upload's record one that clients cannot find or read.
func (u *Upload) Check() error {
	if err := u.Record.Validate(); err != nil {
		return Errorf(ErrInvalid, "%w", err)
	}
	if err := u.Record.CheckFileName(u.File); err != nil {
		return Errorf(ErrInvalid, "%w", err)
	}
	return nil
}

// Access is the right to change a channel.
type Access struct {
	Source  string // where the credential came from, for people
	Account string // whose it is; "" where that is not known
	Minted  bool   // a CI gave it, and it ends within minutes
}

func (a Access) String() string {
	if a.Account != "" {
		return a.Source + ", of " + a.Account
	}
	return a.Source
}

// Receipt says what Put came to.
type Receipt struct {
	Existed bool // the channel had the same bytes under this name before, so that nothing was changed
}

// File is an opened file of a channel.
type File struct {
	io.ReadCloser        // also an io.ReadSeeker, where the channel lies on this machine
	Size          int64  // bytes; -1 where it is not known
	ETag          string // strong, with its quotes; "" where there is none
	Immutable     bool   // a file of this name never has other contents
}

// Form is one of the forms in which a channel offers the index of a subdir: repodata.json, the same compressed, or the
// sharded one.
type Form struct {
	Name    string            // of its file
	Offered bool              // false where the channel has no such file: readers then take another form
	Records []condapkg.Record // of the packages that were asked for
	Err     error             // why it could not be read; nil for a form that is not offered
}
