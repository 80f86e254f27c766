// Package publish uploads a workspace's packages to a channel, and verifies that a solver finds them there, complete and unchanged.
//
// A [Sequence] is one publication. `publish` and `release` go through it in these stages, each of which may be repeated:
//
//	Look     finds the versions that the channel has, and the artifacts that are ready here
//	Allow    checks the right to publish; a channel that is invisible without a credential is read with it
//	Build    builds the missing artifacts, compares each with its manifest, and records it
//	Decide   decides what to do with each package; a conflict ends the publication before anything is sent
//	Send     uploads level by level: a package is sent once its dependencies are in the index
//	Shown    waits until every form of the index shows every file with its digest
//	Verify   downloads and compares the files, installs them into a clean environment, and imports them
//
// An artifact is ready if this clone built it from the same sources with the same tools (origin.go), or if it is listed in the [Digests] from
// another job of the same CI run. Other files are skipped or refused.
//
// Published files are never replaced unless Force is set. If the channel has a file with the same name, there is nothing to upload if the bytes are
// equal; otherwise this is a conflict. If the channel has a package's version and the package was not built here, the channel's file is kept. So an
// interrupted release can be completed by running it again, even on another machine. It is a conflict if the kept file was built before its sources
// last changed.
package publish

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Destination is a channel that can be published to. It is implemented by prefixdev.Channel.
type Destination interface {
	channel.Channel
	// URL returns the channel's address as it is written in a manifest.
	URL() string
	// Private reports whether the channel can be read only with a credential. If so, it is read with the credential.
	Private(ctx context.Context) (bool, error)
	// Unseen returns the reason why a channel that was not found without a credential was not queried with one. It returns nil if the channel was
	// found, or was queried with a credential.
	Unseen() error
	// Authorize obtains a credential for publishing to the channel, once per operation.
	Authorize(ctx context.Context) (channel.Access, error)
	// Forms reads a subdir's index in every form that a solver may read, for the named packages.
	Forms(ctx context.Context, subdir string, names ...string) []channel.Form
}

// Publisher publishes the packages of one workspace to one channel.
type Publisher struct {
	Workspace *workspace.Workspace
	Channel   Destination
	Tools     toolchain.Toolchain
	From      toolchain.Sources // sources to build; nil for the workspace folder
	Runner    command.Runner    // runs the import test
	Output    string            // folder for artifacts
	Scratch   string            // folder for downloads and environments; not used for anything else
	Pycache   string            // folder for byte code, which saves time if it is kept between runs; "" for a folder in Scratch
	Force     bool              // replace files that have other bytes on the channel
	Date      time.Time         // timestamp of new artifacts

	Origin Origin            // the commit that is built; the zero value outside of git, so no file is ready
	Builds *provenance.Store // build records; nil if there are none

	// Sources returns the time of the last change to a package's sources, or zero if it is not known. Nil always means not known.
	Sources func(ctx context.Context, p *workspace.Package) (time.Time, error)

	// Keeps reports whether the channel's file is kept even if other bytes were built: for a package that is not being released, or whose tools are
	// not reproducible. Nil keeps none of these files.
	Keeps func(p *workspace.Package) bool

	Wait     pause.Wait // how long to wait for the index, and how often to look
	Parallel int        // number of concurrent uploads; 0 for DefaultParallel
	Progress Progress   // may be nil
	Log      io.Writer  // output of the builder and the installer; nil discards it
}

// DefaultParallel is the default number of concurrent uploads.
const DefaultParallel = 8

// Progress shows the progress of uploads. Its methods may be called concurrently.
type Progress interface {
	Begin(files int, bytes int64)
	ShowSent(file string, sent, size int64) // starts again at zero if the upload is retried
	Done(file string, err error)
	End()
}

// Published describes a package on the channel.
type Published struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	File    string `json:"file"`
	Subdir  string `json:"subdir"`
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size"` // bytes
	URL     string `json:"url"`
	State   State  `json:"state"`
}

// Union adds the packages of another delivery to all, without duplicates. Each delivery of a release lists all packages, including those that
// another delivery sent.
func Union(all, more []Published) []Published {
	for _, p := range more {
		if !slices.ContainsFunc(all, func(o Published) bool { return o.File == p.File }) {
			all = append(all, p)
		}
	}
	return all
}

// Published lists the packages of a delivery as they are on the channel after the upload.
func (p *Publisher) Published(delivery Delivery) []Published {
	all := []Published{}
	for _, i := range delivery.Items {
		all = append(all, NewPublished(p.Channel.URL(), i.Record, i.State))
	}
	return all
}

// NewPublished returns the description of a record of the channel at url.
func NewPublished(url string, r condapkg.Record, s State) Published {
	return Published{
		Name:    r.Name,
		Version: r.Version,
		File:    r.FileName(),
		Subdir:  r.Subdir,
		SHA256:  r.SHA256,
		Size:    r.Size,
		URL:     url + "/" + fileOf(r),
		State:   s,
	}
}

// fileOf returns a record's file name, prefixed with its subdir.
func fileOf(r condapkg.Record) string { return r.Subdir + "/" + r.FileName() }
