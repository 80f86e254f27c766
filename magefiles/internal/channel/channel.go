// Package channel defines the interface of a conda channel. A channel can be a local folder (channel/store) or a channel on prefix.dev
// (channel/prefixdev). Package channel/server serves any Channel over HTTP.
//
// A channel has a subdir for each platform, and one for noarch. A subdir contains artifacts (.conda files) and the index that clients read:
// repodata.json, the same file compressed, and a sharded form (repodata_shards.msgpack.zst, with one shard per package name in shards/). A
// published file is never replaced unless the upload is forced, because its digest may be in lock files.
//
// Client and server share one table of errors. The server maps an error to an HTTP status, and the client maps the status back to the error.
// Therefore errors.Is gives the same result for a folder and for a remote server. All implementations pass the tests in channeltest.
package channel

import (
	"context"
	"io"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// Channel is one channel. Its methods are safe for concurrent use.
type Channel interface {
	// Put publishes an artifact. When it returns nil, the artifact will survive a power failure, and readers can see the artifact and its record,
	// unless a cache delays this.
	//
	// If the channel already contains the same file, Put is a no-op that sets Receipt.Existed. If it contains a file with the same name but
	// different bytes, Put returns an *ExistsError, unless Upload.Force is set.
	//
	// Errors: ErrExists, ErrInvalid (wrong metadata in the artifact), ErrMalformed, ErrTooLarge, ErrUnauthorized, ErrForbidden, ErrNotFound (the
	// channel does not exist).
	Put(ctx context.Context, u Upload) (Receipt, error)

	// Records returns the records in a subdir, sorted by file name. If names are given, it returns only the records of these packages, and ignores
	// names that do not exist.
	// Errors: ErrNotFound (the channel or the subdir does not exist).
	Records(ctx context.Context, subdir string, names ...string) ([]condapkg.Record, error)

	// Open opens an artifact or an index file in a subdir. The index file names are constants in package condapkg/repodata. The index includes
	// every artifact that has been published so far. The caller must close the file.
	// Errors: ErrNotFound.
	Open(ctx context.Context, subdir, file string) (*File, error)

	// Delete removes an artifact and its record. prefix.dev advises against deleting artifacts, because lock files may refer to them.
	// Errors: ErrNotFound, ErrUnauthorized, ErrForbidden.
	Delete(ctx context.Context, subdir, file string) error
}

// Upload is a local artifact to publish.
type Upload struct {
	File   string          // file name on the channel, such as "a-1.0-pyh4616a5c_0.conda"
	Path   string          // path of the local file
	Record condapkg.Record // the file's digests, size and metadata, read from Path
	Force  bool            // replace a file with the same name but different bytes
	Owned  bool            // the channel may move the file at Path instead of copying it

	// Attestation is a JSON sigstore bundle for the artifact (CEP 27), or nil. It is ignored if the channel already contains the artifact.
	Attestation []byte

	// Sent, if not nil, is called with the number of bytes of the file that have been sent. The count restarts at zero for each attempt. Calls are
	// not concurrent.
	Sent func(bytes int64)
}

// NewUpload returns an Upload for the artifact at path, with the file's base name. It reads the file once. The record has no MD5, which a channel
// computes if it needs it.
func NewUpload(path string) (Upload, error) {
	r, err := condapkg.Identify(path)
	if err != nil {
		return Upload{}, err
	}
	u := Upload{File: filepath.Base(path), Path: path, Record: r}
	return u, r.CheckFileName(u.File)
}

// Check returns an ErrInvalid if clients could not find the artifact or read its record.
func (u *Upload) Check() error {
	if err := u.Record.Validate(); err != nil {
		return Errorf(ErrInvalid, "%w", err)
	}
	if err := u.Record.CheckFileName(u.File); err != nil {
		return Errorf(ErrInvalid, "%w", err)
	}
	return nil
}

// Access describes a credential that may change a channel.
type Access struct {
	Source  string // where the credential was found, for messages
	Account string // the owner's account; "" if unknown
	Minted  bool   // minted for a CI job; expires within minutes
}

func (a Access) String() string {
	if a.Account != "" {
		return a.Source + ", of " + a.Account
	}
	return a.Source
}

// Receipt is the result of Put.
type Receipt struct {
	Existed bool // the channel already contained the same file, so nothing changed
}

// File is an open file of a channel.
type File struct {
	io.ReadCloser        // implements io.ReadSeeker if the channel is local
	Size          int64  // in bytes; -1 if unknown
	ETag          string // a strong ETag, including the quotes; "" for none
	Immutable     bool   // the file with this name never changes
}

// Form is a subdir's index in one of its file formats: repodata.json, the same file compressed, or the sharded form.
type Form struct {
	Name    string            // file name
	Offered bool              // whether the channel has the file; if not, clients use another form
	Records []condapkg.Record // records of the requested packages
	Err     error             // error from reading the form; nil if it is not offered
}
