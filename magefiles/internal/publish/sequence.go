package publish

import (
	"context"
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Trial opens a temporary channel of this process in a folder. The channel needs no credential. end closes it.
type Trial func(dir string) (c Destination, end func() error, err error)

// Sequence is one publication in progress. Its methods are the stages of the publication, in order, and each stores its results in the fields for
// later stages. Both `publish` and `release` use it.
type Sequence struct {
	*Publisher

	Trial Trial // see Try

	Holdings  Holdings
	Artifacts Artifacts
	Missing   []*workspace.Package
	Delivery  Delivery
	Verified  Verified

	tried *tried // nil if Try did not run
}

// Look queries the channel, and stores the packages on the channel, the ready artifacts, and the missing packages.
func (s *Sequence) Look(ctx context.Context, ready Artifacts) (err error) {
	if s.Holdings, err = Look(ctx, s.Channel, s.Workspace.Packages); err != nil {
		return err
	}
	s.Artifacts, s.Missing = ready, s.Publisher.Missing(s.Holdings, ready)
	return nil
}

// Needed reports whether anything may have to be uploaded.
func (s *Sequence) Needed() bool {
	if len(s.Missing) > 0 {
		return true
	}
	for name, a := range s.Artifacts {
		if !slices.ContainsFunc(s.Holdings.Records[name], func(r condapkg.Record) bool { return r.SHA256 == a.SHA256 }) {
			return true
		}
	}
	return false
}

// Private reports whether the channel is private, and therefore read with the credential.
func (s *Sequence) Private(ctx context.Context) bool {
	private, err := s.Channel.Private(ctx)
	return err == nil && private
}

// Unseen reports whether the channel was not found, but could not be queried with a credential: it may be private.
func (s *Sequence) Unseen() bool { return s.Holdings.Unseen != nil }

// Decide compares the artifacts with the channel and stores the delivery.
func (s *Sequence) Decide(ctx context.Context) (err error) {
	s.Delivery, err = s.Publisher.Prepare(ctx, s.Holdings, s.Artifacts)
	return err
}

// Send uploads the delivery, and returns a description of the upload.
func (s *Sequence) Send(ctx context.Context) (string, error) {
	if len(s.Delivery.Uploads()) == 0 {
		return "nothing to send", nil
	}
	if _, err := s.Channel.Authorize(ctx); err != nil {
		return "", err
	}
	return s.Upload(ctx, s.Delivery)
}

// WaitUntilShown waits until the index shows all records, and returns a description of what the index shows.
func (s *Sequence) WaitUntilShown(ctx context.Context, records []condapkg.Record) (string, error) {
	seen, err := Visible(ctx, s.Channel, records, s.Wait)
	if err == nil && s.Private(ctx) {
		seen += "; read with the token, because the channel is private"
	}
	return seen, err
}

// FindPublished looks up a finished release on the channel and stores its delivery. It returns an error unless the channel has every package at its
// version.
func (s *Sequence) FindPublished(ctx context.Context) error {
	if err := s.Look(ctx, Artifacts{}); err != nil {
		return err
	}
	if len(s.Missing) > 0 {
		pkg := s.Missing[0]
		next := "publish this version first: run `mage publish`"
		if s.Unseen() {
			next += "; or, if the channel is private, set PREFIX_API_KEY to a key that can read the channel"
		}
		return operr.New(next, "%s has no %s %s", s.Channel.URL(), pkg.Name, pkg.Version.Text)
	}
	return s.Decide(ctx)
}

// Done summarizes the delivery in one line.
func (s *Sequence) Done() string {
	uploads := len(s.Delivery.Uploads())
	return fmt.Sprintf("%s to upload, %d there", operr.Count(uploads, "artifact"), len(s.Delivery.Items)-uploads)
}
