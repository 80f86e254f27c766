package publish

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Access is the right to publish to a channel.
type Access struct {
	Source  string // where the credential came from
	Account string // whose it is; "" where that is not known
	Minted  bool   // a CI gave it, and it ends within minutes
	Channel Channel
}

func (a Access) String() string {
	if a.Account != "" {
		return a.Source + ", of " + a.Account
	}
	return a.Source
}

// Trial opens a channel of this process in a folder, and returns what ends it. It may be written without a further credential.
type Trial func(dir string) (c Channel, end func() error, err error)

// Sequence is one publication under way. Its methods are the parts of a Publisher in their order, and each leaves in the fields
// what later ones need. `publish` and `release` both go by it.
type Sequence struct {
	*Publisher

	// Authorize finds the right to publish. It is asked where something has to be sent, where the channel is not there for anyone,
	// and again before each level where what it gave lasts for minutes.
	Authorize func(ctx context.Context) (Access, error)

	Trial Trial // see Try

	Holdings  Holdings
	Artifacts Artifacts
	Missing   []*workspace.Package
	Plan      Plan
	Verified  Verified

	access *Access
	since  time.Time // when the access was given
	tried  *tried    // nil where nothing was
}

// Look asks the channel what it has, beside the artifacts that are ready. A channel that is not there for anyone is asked with the
// credential, where there is one: it may be private, and then it is read with the credential from now on.
func (s *Sequence) Look(ctx context.Context, ready Artifacts) (err error) {
	if s.Holdings, err = Look(ctx, s.Channel, s.Workspace.Packages); err != nil {
		return err
	}
	if !s.Holdings.Exists && !s.Private(ctx) {
		if err := s.seek(ctx); err != nil {
			return err
		}
	}
	s.Artifacts, s.Missing = ready, s.Publisher.Missing(s.Holdings, ready)
	return nil
}

// seek looks for a channel that nobody sees with the credential. That there is no credential is no error here: what needs one says so.
func (s *Sequence) seek(ctx context.Context) error {
	if s.access == nil {
		access, err := s.Authorize(ctx)
		if err != nil {
			return context.Cause(ctx)
		}
		s.access, s.since = &access, s.now()
	}
	s.Channel = s.access.Channel
	private, err := s.Channel.Private(ctx)
	if err != nil || !private {
		return err
	}
	s.Holdings, err = Look(ctx, s.Channel, s.Workspace.Packages)
	return err
}

// Needed says whether something may have to be sent.
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

// Allow finds the right to publish. From now on the channel is the one with the credential, which is read as anyone reads it unless it
// is private; that may be known only when a first upload has made it.
func (s *Sequence) Allow(ctx context.Context) (Access, error) {
	if s.access != nil {
		return *s.access, nil
	}
	access, err := s.Authorize(ctx)
	if err == nil {
		s.access, s.Channel, s.since = &access, access.Channel, s.now()
	}
	return access, err
}

// now is the time by the clock that waits go by.
func (s *Sequence) now() time.Time { return s.Wait.withDefaults().Now() }

// freshFor is how long a minted credential is used without a new one. An ID token is good once, and GitLab gives a job no second one.
const freshFor = time.Minute

// renewed is the channel with the right to publish. What a CI gave may have ended while packages were built, a person was asked, or
// the index was waited for.
func (s *Sequence) renewed(ctx context.Context) (channel.Channel, error) {
	if !s.access.Minted || s.now().Sub(s.since) < freshFor {
		return s.access.Channel, nil
	}
	access, err := s.Authorize(ctx)
	if err != nil {
		return nil, err
	}
	s.access, s.Channel, s.since = &access, access.Channel, s.now()
	_, err = s.Channel.Private(ctx) // it is read with what is good now
	return access.Channel, err
}

// Private says whether the channel is read with the credential, since nobody sees it without.
func (s *Sequence) Private(ctx context.Context) bool {
	if s.access == nil {
		return false
	}
	private, err := s.Channel.Private(ctx)
	return err == nil && private
}

// Unseen says whether the channel is not there for anyone, and there is nothing here to ask it with: it may be private.
func (s *Sequence) Unseen() bool { return !s.Holdings.Exists && s.access == nil }

// Decide makes the plan.
func (s *Sequence) Decide(ctx context.Context) (err error) {
	s.Plan, err = s.Publisher.Plan(ctx, s.Holdings, s.Artifacts)
	return err
}

// Send uploads what the plan says, and returns what was seen.
func (s *Sequence) Send(ctx context.Context) (string, error) {
	if len(s.Plan.Uploads()) == 0 {
		return "nothing to send", nil
	}
	access, err := s.Allow(ctx)
	if err != nil {
		return "", err
	}
	s.Renew = s.renewed
	return s.Upload(ctx, access.Channel, s.Plan)
}

// Shown waits until the index shows everything, and returns what was seen.
func (s *Sequence) Shown(ctx context.Context, records []condapkg.Record) (string, error) {
	seen, err := Visible(ctx, s.Channel, records, s.Wait)
	if err == nil && s.Private(ctx) {
		seen += "; read with the token, since the channel is private"
	}
	return seen, err
}

// There makes the plan of a release that is out: every package is on the channel at its version.
func (s *Sequence) There(ctx context.Context) error {
	if err := s.Look(ctx, Artifacts{}); err != nil {
		return err
	}
	if len(s.Missing) > 0 {
		pkg := s.Missing[0]
		next := "publish it first: `mage publish`"
		if !s.Holdings.Exists && s.access == nil {
			next += "; or, where the channel is private, set a key that reads it: PREFIX_API_KEY"
		}
		return operr.New(next, "%s has no %s %s", s.Channel.URL(), pkg.Name, pkg.Version.Text)
	}
	return s.Decide(ctx)
}

// Done is what a plan came to, in a line.
func (s *Sequence) Done() string {
	uploads := len(s.Plan.Uploads())
	return fmt.Sprintf("%s to upload, %d there", operr.Count(uploads, "artifact"), len(s.Plan.Items)-uploads)
}
