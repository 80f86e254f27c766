package publish

import (
	"context"
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Trial opens a channel of this process in a folder, and returns what ends it. It may be written without a further credential.
type Trial func(dir string) (c Destination, end func() error, err error)

// Sequence is one publication under way. Its methods are the parts of a Publisher in their order, and each leaves in the fields
// what later ones need. `publish` and `release` both go by it.
type Sequence struct {
	*Publisher

	Trial Trial // see Try

	Holdings  Holdings
	Artifacts Artifacts
	Missing   []*workspace.Package
	Delivery  Delivery
	Verified  Verified

	tried *tried // nil where nothing was
}

// Look asks the channel what it has, beside the artifacts that are ready.
func (s *Sequence) Look(ctx context.Context, ready Artifacts) (err error) {
	if s.Holdings, err = Look(ctx, s.Channel, s.Workspace.Packages); err != nil {
		return err
	}
	s.Artifacts, s.Missing = ready, s.Publisher.Missing(s.Holdings, ready)
	return nil
}

// Needed reports whether something may have to be sent.
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

// Private reports whether the channel is read with the credential, since nobody sees it without.
func (s *Sequence) Private(ctx context.Context) bool {
	private, err := s.Channel.Private(ctx)
	return err == nil && private
}

// Unseen reports whether the channel is not there for anyone, and there is nothing here to ask it with: it may be private.
func (s *Sequence) Unseen() bool { return s.Holdings.Unseen != nil }

// Decide makes the delivery.
func (s *Sequence) Decide(ctx context.Context) (err error) {
	s.Delivery, err = s.Publisher.Prepare(ctx, s.Holdings, s.Artifacts)
	return err
}

// Send uploads what the delivery says, and returns what was seen.
func (s *Sequence) Send(ctx context.Context) (string, error) {
	if len(s.Delivery.Uploads()) == 0 {
		return "nothing to send", nil
	}
	if _, err := s.Channel.Authorize(ctx); err != nil {
		return "", err
	}
	return s.Upload(ctx, s.Delivery)
}

// Shown waits until the index shows everything, and returns what was seen.
func (s *Sequence) Shown(ctx context.Context, records []condapkg.Record) (string, error) {
	seen, err := Visible(ctx, s.Channel, records, s.Wait)
	if err == nil && s.Private(ctx) {
		seen += "; read with the token, since the channel is private"
	}
	return seen, err
}

// There makes the delivery of a release that is out: every package is on the channel at its version.
func (s *Sequence) There(ctx context.Context) error {
	if err := s.Look(ctx, Artifacts{}); err != nil {
		return err
	}
	if len(s.Missing) > 0 {
		pkg := s.Missing[0]
		next := "publish it first: `mage publish`"
		if s.Unseen() {
			next += "; or, where the channel is private, set a key that reads it: PREFIX_API_KEY"
		}
		return operr.New(next, "%s has no %s %s", s.Channel.URL(), pkg.Name, pkg.Version.Text)
	}
	return s.Decide(ctx)
}

// Done is what a delivery came to, in a line.
func (s *Sequence) Done() string {
	uploads := len(s.Delivery.Uploads())
	return fmt.Sprintf("%s to upload, %d there", operr.Count(uploads, "artifact"), len(s.Delivery.Items)-uploads)
}
