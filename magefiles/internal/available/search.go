package available

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// Index is what is asked of a channel, before an image is built from it: what it has.
type Index interface {
	URL() string
	Records(ctx context.Context, subdir string, names ...string) ([]condapkg.Record, error)
	Forms(ctx context.Context, subdir string, names ...string) []channel.Form
}

// Opener opens a channel as a manifest writes it: by its name, its URL, or its path.
// Errors: *UnreadError.
type Opener func(ctx context.Context, name string) (Index, error)

// UnreadError is said of a channel that cannot be looked into from here, and that the solver may read nevertheless: a
// folder, or one behind s3:// or oci://.
type UnreadError struct {
	Address string // for people: without a password
}

func (e *UnreadError) Error() string { return e.Address + " cannot be looked into from here" }

// search looks for names on channels, in rounds.
type search struct {
	open    Opener
	shelves map[string]*shelf // by the channel's name in the manifest
	unread  []string          // addresses of those that cannot be looked into, in the order in which they were needed
	found   map[string]bool   // names that some channel has
}

func newSearch(open Opener) *search {
	return &search{open: open, shelves: map[string]*shelf{}, found: map[string]bool{}}
}

// shelf is a channel, and what it answered.
type shelf struct {
	Index                                           // nil for one that cannot be looked into
	address string                                  // for people
	records map[string]map[string][]condapkg.Record // by subdir and name; every name that was asked for has an entry
	forms   map[string][]channel.Form               // by subdir
}

// hit is where a name was found. The shelf is nil where no channel has it.
type hit struct {
	shelf   *shelf
	records []condapkg.Record // of the platform and noarch
	unread  []string          // channels of higher priority that were not looked into; all of them where the shelf is nil
}

// openShelf opens a channel, once.
func (s *search) openShelf(ctx context.Context, name string) (*shelf, error) {
	if known := s.shelves[name]; known != nil {
		return known, nil
	}
	c, err := s.open(ctx, name)
	opened := &shelf{Index: c, records: map[string]map[string][]condapkg.Record{}, forms: map[string][]channel.Form{}}
	var unread *UnreadError
	switch {
	case errors.As(err, &unread):
		opened.Index, opened.address = nil, unread.Address
		s.unread = append(s.unread, unread.Address)
	case err != nil:
		return nil, err
	default:
		opened.address = c.URL()
	}
	s.shelves[name] = opened
	return opened, nil
}

// questions are what is asked in one go: for each subdir of a channel the names, in the order in which they came up.
type questions struct {
	order []question
	names map[question][]string
}

type question struct {
	shelf  *shelf
	subdir string
}

func (q *questions) add(to question, name string) {
	if q.names == nil {
		q.names = map[question][]string{}
	}
	if _, known := q.names[to]; !known {
		q.order = append(q.order, to)
	}
	if !slices.Contains(q.names[to], name) {
		q.names[to] = append(q.names[to], name)
	}
}

// round looks for the names that each environment asks for. Every channel is asked only for names that none of higher
// priority has, and each of its subdirs once: a server without a sharded index sends everything it has for one name.
func (s *search) round(ctx context.Context, environments []*environment, names map[*environment][]string) error {
	for level, more := 0, true; more; level++ {
		more = false
		var ask questions
		for _, e := range environments {
			for _, name := range names[e] {
				from := e.from(name)
				if level >= len(from) || s.find(e, name).shelf != nil {
					continue
				}
				more = true
				on, err := s.openShelf(ctx, from[level])
				if err != nil {
					return err
				}
				for _, subdir := range on.unasked(name, e.subdir) {
					ask.add(question{shelf: on, subdir: subdir}, name)
				}
			}
		}
		for _, q := range ask.order {
			if err := s.ask(ctx, q, ask.names[q]); err != nil {
				return err
			}
		}
	}
	return nil
}

// unasked are the subdirs in which a name was not looked for so far.
func (s *shelf) unasked(name, platform string) (subdirs []string) {
	for _, subdir := range []string{platform, condapkg.NoarchSubdir} {
		if _, asked := s.records[subdir][name]; !asked && s.Index != nil {
			subdirs = append(subdirs, subdir)
		}
	}
	return subdirs
}

// ask reads the records of names, and keeps them. A subdir that is not there has none.
func (s *search) ask(ctx context.Context, q question, names []string) error {
	records, err := q.shelf.Records(ctx, q.subdir, names...)
	if err != nil && !errors.Is(err, channel.ErrNotFound) {
		return explainSilence(q.shelf.address, names, err)
	}
	if q.shelf.records[q.subdir] == nil {
		q.shelf.records[q.subdir] = map[string][]condapkg.Record{}
	}
	byName := q.shelf.records[q.subdir]
	for _, name := range names {
		byName[name] = []condapkg.Record{}
	}
	for _, r := range records {
		byName[r.Name] = append(byName[r.Name], r)
		s.found[r.Name] = true
	}
	return nil
}

// find returns the records of a name for a platform, from the first channel that has it, as far as was asked.
func (s *search) find(e *environment, name string) (h hit) {
	for _, from := range e.from(name) {
		on := s.shelves[from]
		if on == nil || len(on.unasked(name, e.subdir)) > 0 {
			return h
		}
		if on.Index == nil {
			h.unread = append(h.unread, on.address)
			continue
		}
		h.records = append(slices.Clone(on.records[e.subdir][name]), on.records[condapkg.NoarchSubdir][name]...)
		if len(h.records) > 0 {
			h.shelf = on
			return h
		}
	}
	return h
}

// addresses are the channels on which a name was looked for, for people.
func (s *search) addresses(e *environment, name string) string {
	var all []string
	for _, from := range e.from(name) {
		all = append(all, s.shelves[from].address)
	}
	return strings.Join(all, ", ")
}

// readForms reads the index of the pins in every form that a solver may read, once for each subdir of a channel.
func (s *search) readForms(ctx context.Context, environments []*environment) error {
	var ask questions
	for _, e := range environments {
		for _, p := range e.pins {
			ask.add(question{shelf: p.hit.shelf, subdir: e.subdir}, p.name)
			ask.add(question{shelf: p.hit.shelf, subdir: condapkg.NoarchSubdir}, p.name)
		}
	}
	for _, q := range ask.order {
		forms := q.shelf.Forms(ctx, q.subdir, ask.names[q]...)
		for _, f := range forms {
			if f.Offered && f.Err != nil {
				return explainSilence(q.shelf.address, ask.names[q], f.Err)
			}
		}
		q.shelf.forms[q.subdir] = forms
	}
	return nil
}

// shows reports whether all forms of the index that a subdir offers have a version. Where not, lacking is where it was looked
// for: the form that does not have it yet, or the whole channel.
func (s *shelf) shows(name, wanted, platform string) (lacking string, ok bool) {
	lacking = s.address
	for _, subdir := range []string{platform, condapkg.NoarchSubdir} {
		var with, without []string
		for _, f := range s.forms[subdir] {
			has := slices.ContainsFunc(f.Records, func(r condapkg.Record) bool { return r.Name == name && version.Same(r.Version, wanted) })
			switch {
			case has:
				with = append(with, f.Name)
			case f.Offered:
				without = append(without, f.Name)
			}
		}
		if len(with) > 0 && len(without) == 0 {
			return "", true
		}
		if len(with) > 0 {
			lacking = s.address + " in " + strings.Join(without, " and ")
		}
	}
	return lacking, false
}

// explainSilence is the error of a channel that does not say what it has.
func explainSilence(address string, names []string, err error) error {
	what := strings.Join(names[:min(3, len(names))], ", ")
	if len(names) > 3 {
		what += fmt.Sprintf(" and %d more", len(names)-3)
	}
	if errors.Is(err, channel.ErrUnauthorized) || errors.Is(err, channel.ErrForbidden) {
		return operr.New("let RATTLER_AUTH_FILE name a file of credentials that has an entry for its host, as `pixi auth login` writes it; the build of the image reads it too",
			"%s wants a login before it says whether it has %s: %w", address, what, err)
	}
	return operr.New("try again; no image is built from what cannot be seen", "asking %s for %s: %w", address, what, err)
}
