// Package session takes one plan from a person's yes to its end, so that it may be killed anywhere and continued, or taken back.
//
// It is the right one for what changes the world in ways that somebody would have to clean up after a kill: a release, a deployment. A list of
// steps that are shown, and that are all done again by the next run, is for package steps.
//
// An [Operation] is the whole of it: how a plan is made, its steps (package workflow), and the way back. [Operation.Run] begins one, or goes on
// with the one that is unfinished, under a lock; [Operation.Undo] takes the unfinished one back; [Operation.Look] says where it stands.
// Where a plan is made in steps of its own, as that of a release is, those parts are used by themselves: [Kind.Lock], [Kind.Last], and a
// [Session].
//
// # What is kept
//
// Each plan has a journal (package journal), a file whose first entry is the plan, followed by the events of its steps, the undos that were
// begun, and its end. It is written when a person has agreed, and not before: until then the lock is all that is on the disk. What lies in the
// journal is bound to the plan by the plan's digest. A journal that cannot be read, or is of another format, stops for a person (exit status
// 3); a last line that was cut off by a kill is left out. Folders are made where they are missing; that git ignores them is for who
// chooses them.
//
// A version of the program that knows another field of the plan does not go on with it, and says so; a new field with `omitempty` is the way
// out, and what Readable refuses is refused with its own words.
//
// # What an operation has to see to
//
//   - A step is done twice where a kill comes between what it does and its event. Its Check asks the world; where the world cannot be asked,
//     what was recorded counts, and what is sent bears a key from the plan, by which the other side knows it again.
//   - Whatever Revert takes back it finds by Past.Began, and it takes back what is half done.
//   - The session that is unfinished may be of another command line: Continue reports whether it is what is asked for.
//   - How to go on is added to the next step of an error, unless that says it already, by operr.Error.WithWayOn.
//   - Confirm is where -yes, and that there is no terminal, are decided, and it returns what the program says then. Where it was interrupted
//     nothing was agreed to.
//   - A dry run is a call of Make, and a look at its plan: it takes no lock, and keeps nothing.
//   - Another process is refused while one has the lock (exit status 3). On another machine, or in another clone, nobody is: there the world
//     decides, by Check, and by what the server refuses.
//
// Package sessiontest ends an operation wherever a kill may, and finds the first two out.
package session

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Kinds of the journal's entries.
const (
	kindPlan = "plan"
	kindStep = "step"
	kindEnd  = "end"
	kindUndo = "undo" // a way back was begun
)

// Plan is what a person agrees to: a value that survives JSON. P is a pointer, as a rule.
type Plan interface {
	// Label names it to people, and in the name of its journal: "v1.2.0".
	Label() string
}

// End is how a session ended; "" while it has not.
type End string

// The ends that a session of any plan may have, beside the one that its Kind has for success.
const (
	Undone    End = "undone"    // what it did was taken back
	Abandoned End = "abandoned" // it cannot be taken back, and is not to be completed
)

// Kind is a kind of operation, such as a release, in one clone.
type Kind[P Plan] struct {
	Name  string // "release": the journals are in the folder "releases" of Dir
	Dir   string // for the journals; nothing in it is ever committed
	Locks string // folder of the lock, "release.lock", which others may share; "" is Dir
	Tool  string // version of this program
	Done  End    // how one ends that succeeds, such as "released"

	// Readable refuses a plan of a journal that this program does not understand, such as one of another format; tool is the version that
	// wrote it. Nil takes each.
	Readable func(p P, tool string) error

	Type Commands

	// Written is told how many entries the journal has, after each. Its error ends the session as a kill would. Tests use it; nil is none.
	Written func(entries int) error
}

// Commands are what people type.
type Commands struct {
	Run    string // to begin, and to go on: "mage release"
	Status string // to see where it stands
	Undo   string // to take it back
}

// Lock takes the lock for this process. It is for operr.Stopped that another one has it. killed is when the process before this one took it,
// if that ended without giving it back.
func (k *Kind[P]) Lock() (unlock func(), killed time.Time, err error) {
	unlock, killed, err = journal.Lock(k.lockFile())
	if errors.Is(err, journal.ErrLocked) {
		return nil, killed, operr.NewStopped("wait until it has ended; `"+k.Type.Status+"` says where it stands", "another %s is under way here, %w", k.Name, err)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil, killed, operr.New("make it writable: what has to be known of a run that is killed is kept there, beside what git keeps", "nothing was changed: %w", err)
	}
	return unlock, killed, err
}

// Holder is who has the lock, as journal.Holder says it; "" where nobody has it. Nothing is changed.
func (k *Kind[P]) Holder() (string, error) { return journal.Holder(k.lockFile()) }

func (k *Kind[P]) lockFile() string { return filepath.Join(cmp.Or(k.Locks, k.Dir), k.Name+".lock") }

// Session is one plan under way. Until the plan is agreed to, nothing is on the disk.
type Session[P Plan] struct {
	kind    *Kind[P]
	journal *journal.Journal
	early   []workflow.Event // before there is a journal
	before  []workflow.Event // of the runs that this one goes on from
	void    string           // journal of which nothing came: another one takes its place
	entries int
	killed  error // of Written
}

// New is a session without a plan.
func (k *Kind[P]) New() *Session[P] { return &Session[P]{kind: k} }

// Resume goes on with what a journal has.
func (s *Session[P]) Resume(past *Past[P]) error {
	s.before = past.standing()
	var all []journal.Entry
	var err error
	s.journal, all, err = journal.Open(past.Path, s.kind.Tool, past.digest)
	s.entries = len(all)
	if err != nil {
		return operr.New("make it writable, and run it again", "going on with %s: %w", past.Plan.Label(), err)
	}
	return nil
}

// Replace says that nothing came of a journal: it is removed once another plan is agreed to.
func (s *Session[P]) Replace(past *Past[P]) { s.void = past.Path }

// Agree writes the plan down, and what was recorded before. In a session that is resumed it does nothing.
func (s *Session[P]) Agree(p P) error {
	if s.journal != nil {
		return nil
	}
	all, digest, err := entriesOf(p, s.early, nil)
	if err != nil {
		return err
	}
	if err := survives(p, digest); err != nil {
		return err
	}
	name := s.kind.stamp() + "-" + fileName(p.Label()) + ".jsonl"
	path := filepath.Join(s.kind.journals(), name)
	if s.journal, err = journal.Create(path, s.kind.Tool, digest, all...); err != nil {
		s.journal = nil
		return operr.New("see that "+filepath.Dir(path)+" can be written to, and run it again", "nothing was changed: %w", err)
	}
	s.entries = len(all)
	if s.void != "" {
		if err := os.Remove(s.void); err != nil {
			return err
		}
	}
	return s.written()
}

// Agreed reports whether a plan was agreed to: by this run, or by the one that it goes on from.
func (s *Session[P]) Agreed() bool { return s.journal != nil }

// Path is the journal's; "" before there is one.
func (s *Session[P]) Path() string {
	if s.journal == nil {
		return ""
	}
	return s.journal.Path
}

// Run takes the steps that are not done, and ends the session. Its errors say how to go on.
func (s *Session[P]) Run(ctx context.Context, d *workflow.Definition, shows workflow.Reporter, transient func(error) bool) error {
	run := &workflow.Run{Definition: d, Past: s.before, Keep: s.record, Reporter: shows, Transient: transient}
	err := run.Do(ctx)
	if err == nil {
		err = s.End(s.kind.Done)
	}
	if err != nil {
		return s.explain(ctx, err)
	}
	return nil
}

// End writes the end down.
func (s *Session[P]) End(e End) error {
	if s.journal == nil {
		return nil
	}
	return s.append(kindEnd, e)
}

// Close lets go of the journal, of which every entry is synced.
func (s *Session[P]) Close() {
	if s.journal != nil {
		_ = s.journal.Close()
	}
}

func (s *Session[P]) record(event workflow.Event) error {
	if s.journal == nil {
		s.early = append(s.early, event)
		return nil
	}
	return s.append(kindStep, event)
}

func (s *Session[P]) append(kind string, body any) error {
	if s.killed != nil {
		return s.killed
	}
	if err := s.journal.Append(kind, body); err != nil {
		return err
	}
	s.entries++
	return s.written()
}

func (s *Session[P]) written() error {
	if s.kind.Written != nil {
		s.killed = s.kind.Written(s.entries)
	}
	return s.killed
}

// explain says of an error how to go on.
func (s *Session[P]) explain(ctx context.Context, err error) error {
	on := "`" + s.kind.Type.Run + "` goes on from here"
	if cause := context.Cause(ctx); cause != nil {
		if !s.Agreed() {
			return operr.New("", "%w; nothing was changed", cause)
		}
		return operr.New(on, "%w, at a safe point", cause).WithWayOn()
	}
	if !s.Agreed() {
		return err
	}
	return operr.New(nextWith(on, err), "%w", err).WithWayOn()
}

// nextWith is the next step of an error, and, unless that says so itself, how to go on.
func nextWith(on string, err error) string {
	next := operr.NextOf(err)
	switch {
	case next == "":
		return on
	case operr.HasWayOn(err):
		return next
	}
	return next + "; then " + on
}

// digestOf is the sha256 of a plan's JSON, as "sha256:…".
func digestOf(p any) (string, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// mostOfLabel is how many bytes of a label a journal's name has: the plan has all of it.
const mostOfLabel = 100

// fileName is a label in the name of a file.
func fileName(label string) string {
	name := strings.NewReplacer("/", "-", " ", "", ",", "+").Replace(label)
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '-'
		}
		return r
	}, name)
	if len(name) > mostOfLabel {
		name = strings.ToValidUTF8(name[:mostOfLabel], "")
	}
	return name
}

const mistake = "report it: it is a mistake of this program"

// survives refuses a plan of which whoever goes on would have another one.
func survives[P Plan](p P, digest string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	var again P
	if err := json.Unmarshal(data, &again); err != nil {
		return operr.New(mistake, "nothing was changed: the plan %s cannot be read back from its JSON: %w", p.Label(), err)
	}
	if read, err := digestOf(again); err != nil || read != digest {
		return operr.New(mistake, "nothing was changed: the plan %s is another one when it is read back from its JSON", p.Label())
	}
	return nil
}

// entriesOf are a plan and events as a journal has them, with the plan's digest. Without times they are of now.
func entriesOf(p any, events []workflow.Event, times []time.Time) (all []journal.Entry, digest string, err error) {
	if digest, err = digestOf(p); err != nil {
		return nil, "", err
	}
	add := func(kind string, body any, at time.Time) error {
		data, err := json.Marshal(body)
		all = append(all, journal.Entry{Kind: kind, Body: data, Time: at})
		return err
	}
	if err := add(kindPlan, p, time.Time{}); err != nil {
		return nil, "", err
	}
	for i, event := range events {
		var at time.Time
		if times != nil {
			at = times[i]
		}
		if err := add(kindStep, event, at); err != nil {
			return nil, "", err
		}
	}
	return all, digest, nil
}
