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

// Index is the part of a channel that Check reads.
type Index interface {
	URL() string
	Records(ctx context.Context, subdir string, names ...string) ([]condapkg.Record, error)
	Forms(ctx context.Context, subdir string, names ...string) []channel.Form
}

// Opener opens a channel by the name, URL or path in a manifest.
// Errors: *UnreadError.
type Opener func(ctx context.Context, name string) (Index, error)

// UnreadError reports a channel that this program cannot read, although the solver may be able to: a folder, or a channel with an s3:// or oci://
// URL.
type UnreadError struct {
	Address string // address without a password, for messages
}

func (e *UnreadError) Error() string { return e.Address + " cannot be read by this program" }

// search looks up names on channels, in rounds.
type search struct {
	open    Opener
	shelves map[string]*shelf // by the channel's name in the manifest
	unread  []string          // addresses of unreadable channels, in the order in which they were first needed
	found   map[string]bool   // names that were found on any channel
}

func newSearch(open Opener) *search {
	return &search{open: open, shelves: map[string]*shelf{}, found: map[string]bool{}}
}

// shelf is a channel with the records that were read from it.
type shelf struct {
	Index                                           // nil if the channel is unreadable
	address string                                  // address for messages
	records map[string]map[string][]condapkg.Record // by subdir and name; a name without records has an empty entry once it was looked up
	forms   map[string][]channel.Form               // by subdir
}

// hit is the result of looking up a name. Its shelf is the channel on which the name was found, or nil.
type hit struct {
	shelf   *shelf
	records []condapkg.Record // records in the platform's subdir and in noarch
	unread  []string          // addresses of unreadable channels of higher priority, or of all unreadable channels if shelf is nil
}

// openShelf opens a channel, or returns it if it is already open.
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

// questions collects the names to look up in one round, by channel and subdir, in the order in which they were first needed.
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

// round looks up the names that each environment needs. It looks for a name on a channel only if no channel of higher priority has it. It batches
// all names for a subdir into one query, because a server without a sharded index sends its whole index for any query.
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
				for _, subdir := range on.missingSubdirs(name, e.subdir) {
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

// missingSubdirs returns the subdirs in which the name has not been looked up yet.
func (s *shelf) missingSubdirs(name, platform string) (subdirs []string) {
	for _, subdir := range []string{platform, condapkg.NoarchSubdir} {
		if _, asked := s.records[subdir][name]; !asked && s.Index != nil {
			subdirs = append(subdirs, subdir)
		}
	}
	return subdirs
}

// ask fetches and stores the records of the names. If the subdir does not exist, it stores no records for them.
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

// find returns the records of a name for a platform, from the first channel that has it. It stops at the first channel on which the name has not
// been looked up yet.
func (s *search) find(e *environment, name string) (h hit) {
	for _, from := range e.from(name) {
		on := s.shelves[from]
		if on == nil || len(on.missingSubdirs(name, e.subdir)) > 0 {
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

// addresses returns the addresses of the channels that may have a name, for messages.
func (s *search) addresses(e *environment, name string) string {
	var all []string
	for _, from := range e.from(name) {
		all = append(all, s.shelves[from].address)
	}
	return strings.Join(all, ", ")
}

// readForms fetches the index entries of the pinned packages in every index format that a solver may use. It fetches each format once per subdir
// of a channel.
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

// `shows` reports whether every index format of one of the subdirs contains a version. If not, lacking describes where the version is missing: in
// some formats, or on the whole channel.
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

// explainSilence returns the error for a channel whose records could not be read.
func explainSilence(address string, names []string, err error) error {
	what := strings.Join(names[:min(3, len(names))], ", ")
	if len(names) > 3 {
		what += fmt.Sprintf(" and %d more", len(names)-3)
	}
	if errors.Is(err, channel.ErrUnauthorized) || errors.Is(err, channel.ErrForbidden) {
		return operr.New("set RATTLER_AUTH_FILE to a file that `pixi auth login` wrote and that has an entry for this host; the build of the image reads the same file",
			"%s requires a login for looking up %s: %w", address, what, err)
	}
	return operr.New("run the same command again; nothing was built", "asking %s for %s: %w", address, what, err)
}
