// Package session runs operations that can be killed at any point and then resumed or undone. A session executes one plan, from the user's
// confirmation to its end.
//
// Use it for work that would otherwise need manual cleanup after a kill, such as a release or a deployment. For steps that the next run can simply
// repeat, use package steps.
//
// An [Operation] defines how a plan is made, its steps (package workflow), and how to undo them. [Operation.Run] begins a session or resumes the
// unfinished one, under a lock. [Operation.Undo] undoes the unfinished session. [Operation.Look] returns its progress. An operation whose plan is
// made in several steps, such as a release, uses the lower-level API instead: [Kind.Lock], [Kind.Last], and [Session].
//
// # What is kept
//
// Each plan has a journal file (package journal). It contains the plan, followed by the events of its steps, the undos that were begun, and the
// session's end. It is created when the user agrees to the plan; before that, only the lock file exists. Each entry refers to the plan by its digest.
// A journal that is unreadable or has another format stops the run until the user decides what to do (exit status 3). A truncated last line, as
// after a kill, is ignored. Missing folders are created. The caller must ensure that git ignores the folders.
//
// If a different version of the program wrote the plan, and its plans have other fields, the program refuses to continue. Adding a field with
// `omitempty` avoids that. If Readable rejects a plan, the user sees its error.
//
// # Duties of an operation
//
//   - A step is repeated if the process is killed after the step's work and before its event is written. So its Check must look at the actual state.
//     If that is impossible, Check may trust the record, but then each request needs a key from the plan by which the server detects repetition.
//   - Revert must use Past.Began to find out what to undo, and must also undo steps that were only partly done.
//   - The unfinished session may belong to another command line, so Continue must return an error if the user requests another plan.
//   - The next step of an error also says how to continue, unless the error was marked with operr.Error.WithWayOn because it already does.
//   - Confirm handles -yes and a missing terminal, and returns the appropriate errors. After an interrupt, nothing was agreed to.
//   - A dry run calls Make and shows the plan, without taking the lock or writing anything.
//   - While a process holds the lock, other processes in the clone fail (exit status 3). Conflicts with other machines or clones must be prevented by
//     each step's Check and by the server.
//
// Package sessiontest tests the first two by killing an operation at every possible point.
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

// The kinds of journal entries.
const (
	kindPlan = "plan"
	kindStep = "step"
	kindEnd  = "end"
	kindUndo = "undo" // an Undo was begun
)

// Plan is a plan to which the user agrees. It must survive a round trip through JSON. P is usually a pointer type.
type Plan interface {
	// Label returns a short name such as "v1.2.0", which is shown to users and used in the journal's file name.
	Label() string
}

// End is how a session has ended; "" if it has not.
type End string

// Ends of a session of any kind. Kind.Done is the end after success.
const (
	Undone    End = "undone"    // the work was undone
	Abandoned End = "abandoned" // the work was abandoned: it cannot be undone, and must not be completed
)

// Kind describes a kind of operation, such as a release, in one clone.
type Kind[P Plan] struct {
	Name  string // such as "release"; the journals are then in the subfolder "releases" of Dir
	Dir   string // folder for the journals; never committed
	Locks string // folder for the lock file, "release.lock", which may be shared; "" means Dir
	Tool  string // version of this program
	Done  End    // the end of a successful session, such as "released"

	// Readable returns an error if this program cannot handle a plan, for example because it has another format. `tool` is the program version that
	// wrote the plan. If Readable is nil, all plans are accepted.
	Readable func(p P, tool string) error

	Type Commands

	// Written, if not nil, is called after each entry with the number of entries in the journal. If it returns an error, the session ends as if it
	// were killed. For tests.
	Written func(entries int) error
}

// Commands holds command lines that are shown to the user.
type Commands struct {
	Run    string // command that begins or continues a session, such as "mage release"
	Status string // command that shows the progress
	Undo   string // command that undoes a session
}

// Lock takes the lock. If another process holds it, the error is an operr.Stopped. If the previous process ended without releasing the lock, `killed`
// is the time at which that process took the lock.
func (k *Kind[P]) Lock() (unlock func(), killed time.Time, err error) {
	unlock, killed, err = journal.Lock(k.lockFile())
	if errors.Is(err, journal.ErrLocked) {
		return nil, killed, operr.NewStopped("wait until the other run has ended; `"+k.Type.Status+"` shows its progress", "another %s is under way here, %w", k.Name, err)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil, killed, operr.New("make the folder of this file writable: a run records its progress there, so that the run can be continued after a kill", "nothing was changed: %w", err)
	}
	return unlock, killed, err
}

// Holder describes the process that holds the lock, as journal.Holder does; "" if there is none. It changes nothing.
func (k *Kind[P]) Holder() (string, error) { return journal.Holder(k.lockFile()) }

func (k *Kind[P]) lockFile() string { return filepath.Join(cmp.Or(k.Locks, k.Dir), k.Name+".lock") }

// Session is the execution of a plan. Nothing is written to disk until the plan is agreed to.
type Session[P Plan] struct {
	kind    *Kind[P]
	journal *journal.Journal
	early   []workflow.Event // events before the journal exists
	before  []workflow.Event // events of the earlier runs of a resumed session
	void    string           // journal to remove when this session's journal is created
	entries int
	killed  error // error returned by Written
}

// New returns a session that has no plan yet.
func (k *Kind[P]) New() *Session[P] { return &Session[P]{kind: k} }

// Resume opens the journal of an unfinished session to continue it.
func (s *Session[P]) Resume(past *Past[P]) error {
	s.before = past.standing()
	var all []journal.Entry
	var err error
	s.journal, all, err = journal.Open(past.Path, s.kind.Tool, past.digest)
	s.entries = len(all)
	if err != nil {
		return operr.New("make this file writable, and run the command again", "continuing %s: %w", past.Plan.Label(), err)
	}
	return nil
}

// Replace makes Agree remove the journal of a session that did nothing, once the new journal exists.
func (s *Session[P]) Replace(past *Past[P]) { s.void = past.Path }

// Agree creates the journal with the plan and the events so far. It is a no-op in a resumed session.
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
		return operr.New("make "+filepath.Dir(path)+" writable, and run the command again", "nothing was changed: %w", err)
	}
	s.entries = len(all)
	if s.void != "" {
		if err := os.Remove(s.void); err != nil {
			return err
		}
	}
	return s.checkWritten()
}

// Agreed reports whether the user has agreed to a plan, in this run or before.
func (s *Session[P]) Agreed() bool { return s.journal != nil }

// Path returns the journal's path, or "" if there is no journal yet.
func (s *Session[P]) Path() string {
	if s.journal == nil {
		return ""
	}
	return s.journal.Path
}

// Run runs the steps that are not done, and ends the session. Its errors say how to continue.
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

// End records the end in the journal.
func (s *Session[P]) End(e End) error {
	if s.journal == nil {
		return nil
	}
	return s.append(kindEnd, e)
}

// Close closes the journal. All entries have already been synced.
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
	return s.checkWritten()
}

func (s *Session[P]) checkWritten() error {
	if s.kind.Written != nil {
		s.killed = s.kind.Written(s.entries)
	}
	return s.killed
}

// explain adds to an error the next step for continuing the session.
func (s *Session[P]) explain(ctx context.Context, err error) error {
	on := "`" + s.kind.Type.Run + "` continues from here"
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

// nextWith returns an error's next step, followed by how to continue unless the error already says that.
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

// digestOf returns the SHA-256 of a plan's JSON, as "sha256:…".
func digestOf(p any) (string, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// mostOfLabel is the maximum length in bytes of the label in a journal's file name.
const mostOfLabel = 100

// fileName converts a label to a valid part of a file name.
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

const mistake = "report this error, which is a bug in this program"

// survives returns an error if a plan changes when it is encoded as JSON and decoded again.
func survives[P Plan](p P, digest string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	var again P
	if err := json.Unmarshal(data, &again); err != nil {
		return operr.New(mistake, "nothing was changed, because the plan %s cannot be read from its own JSON: %w", p.Label(), err)
	}
	if read, err := digestOf(again); err != nil || read != digest {
		return operr.New(mistake, "nothing was changed, because the plan %s is different after it is read from its own JSON", p.Label())
	}
	return nil
}

// entriesOf returns a plan and its events as journal entries, and the plan's digest. If times is nil, the entries get the current time.
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
