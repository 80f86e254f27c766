// Package publish takes the packages of a workspace to a channel, so that a solver finds them there, whole and unchanged.
//
// A [Sequence] is one publication. `publish` and `release` go by it, part for part, and each part may be done again:
//
//	Look     what does the channel have of these versions, beside what lies ready?
//	Allow    the right to publish; a channel that nobody sees without it is read with it
//	Build    the artifacts of the rest; each is compared with its manifest, and recorded
//	Decide   what is to be done with each package; a conflict ends it before anything is sent
//	Send     by levels: what others depend on is sent, and seen in the index, before they are
//	Shown    waits until every form of the index shows every file with its digest
//	Verify   downloads, compares, installs into a clean environment, imports
//
// What lies ready is what this clone has built of the same sources by the same tools (origin.go), or what [Digests] name that a job of
// the same run of a CI handed over. All other files are passed over, or refused.
//
// What is published is never replaced, unless by force: the same file name with the same bytes is done, with other bytes
// it is a conflict. A package whose version is on the channel, and that was not built here, is kept as it is: a half
// release is completed by running it again, on another machine too. It is a conflict when it was built before its
// sources were last changed.
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

// Destination is what publishing needs of a channel. A prefixdev.Channel is one.
type Destination interface {
	channel.Channel
	// URL is the channel's address, as it stands in a manifest.
	URL() string
	// Private reports whether the channel can be read only with the credential that it has. It is read with it then.
	Private(ctx context.Context) (bool, error)
	// Unseen is why a channel that shows nothing to anyone was not asked with a credential; nil where it was, or was seen.
	Unseen() error
	// Authorize finds the right to publish to it, once for an operation.
	Authorize(ctx context.Context) (channel.Access, error)
	// Forms reads the index of a subdir in every form that a solver may read, for the packages named.
	Forms(ctx context.Context, subdir string, names ...string) []channel.Form
}

// Publisher publishes the packages of one workspace to one channel.
type Publisher struct {
	Workspace *workspace.Workspace
	Channel   Destination
	Tools     toolchain.Toolchain
	From      toolchain.Sources // what is built; nil is what lies in the workspace's folder
	Runner    command.Runner    // for the import test
	Output    string            // folder of the artifacts
	Scratch   string            // folder for what Verify downloads and installs; it must not be anyone else's
	Pycache   string            // folder for byte code, which saves time where it outlasts the run; "" is one in Scratch
	Force     bool              // replace what has other bytes on the channel
	Date      time.Time         // that newly built artifacts bear

	Origin Origin            // what is built; the zero value outside of git, where nothing that lies ready counts
	Builds *provenance.Store // records of builds; nil has none

	// Sources says since when the sources of a package are what they are; zero where that is not known. Nil knows nothing.
	Sources func(ctx context.Context, p *workspace.Package) (time.Time, error)

	// Keeps says that what the channel has of a package's version stays, though other bytes were built: of a package that is not
	// released, or by tools that never give the same bytes. Nil keeps nothing.
	Keeps func(p *workspace.Package) bool

	Wait     pause.Wait // for the index
	Parallel int        // uploads side by side; 0 is DefaultParallel
	Progress Progress   // nil shows none
	Log      io.Writer  // what the builder and the installer say; nil discards
}

// DefaultParallel is how many uploads run side by side, unless a Publisher says otherwise.
const DefaultParallel = 8

// Progress shows how far the uploads are. Its methods may be called from several goroutines.
type Progress interface {
	Begin(files int, bytes int64)
	Sent(file string, sent, size int64) // from zero again when a file is sent again
	Done(file string, err error)
	End()
}

// Published is one package as the channel has it.
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

// Union adds to some files those of another delivery. Each of several deliveries of one release speaks of all packages, of those that another one has
// sent, too.
func Union(all, more []Published) []Published {
	for _, p := range more {
		if !slices.ContainsFunc(all, func(o Published) bool { return o.File == p.File }) {
			all = append(all, p)
		}
	}
	return all
}

// Published lists the packages of a delivery as the channel has them once it is sent.
func (p *Publisher) Published(delivery Delivery) []Published {
	all := []Published{}
	for _, i := range delivery.Items {
		all = append(all, NewPublished(p.Channel.URL(), i.Record, i.State))
	}
	return all
}

// NewPublished describes a record of the channel at an address.
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

// fileOf is the file of a record, with its subdir.
func fileOf(r condapkg.Record) string { return r.Subdir + "/" + r.FileName() }
