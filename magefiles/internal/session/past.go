package session

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Past is a session as recorded in its journal.
type Past[P Plan] struct {
	Path    string
	Plan    P
	Events  []workflow.Event
	Times   []time.Time // times of Events
	End     End         // "" if it has not ended
	Undoing bool        // an Undo was begun and has not ended

	digest string // digest of the plan; "" if there is no journal
	undone int    // number of events before the last Undo, whose effects it may have undone
}

// standing returns the events since the last Undo.
func (p *Past[P]) standing() []workflow.Event { return p.Events[p.undone:] }

// Began reports whether this session began a step. It returns false if the step's effect already existed. Revert must use Began instead of Did,
// because a step may have done its work even if the journal does not record its end.
func (p *Past[P]) Began(step string) bool {
	return p.has(step, workflow.Started)
}

// Did reports whether the journal records that a step was done, or that its effect already existed. It returns false for a step that did its work but
// was killed before its event was written.
func (p *Past[P]) Did(step string) bool {
	return p.has(step, workflow.Done, workflow.Found)
}

func (p *Past[P]) has(step string, kinds ...workflow.Kind) bool {
	return slices.ContainsFunc(p.Events, func(event workflow.Event) bool { return event.Step == step && slices.Contains(kinds, event.Kind) })
}

func (k *Kind[P]) journals() string { return filepath.Join(k.Dir, k.Name+"s") }

// Last returns the most recently begun session; nil if there is none.
func (k *Kind[P]) Last() (*Past[P], error) {
	names, err := k.names()
	if len(names) == 0 || err != nil {
		return nil, err
	}
	return k.Read(filepath.Join(k.journals(), names[len(names)-1]))
}

// All returns the sessions with readable journals, oldest first.
func (k *Kind[P]) All() (all []*Past[P], err error) {
	names, err := k.names()
	for _, name := range names {
		if past, err := k.Read(filepath.Join(k.journals(), name)); err == nil { // Last reports an unreadable journal if it is the most recent one
			all = append(all, past)
		}
	}
	return all, err
}

// `names` returns the file names of the journals, oldest first.
func (k *Kind[P]) names() (names []string, err error) {
	entries, err := os.ReadDir(k.journals())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, operr.New("make this folder readable with `chmod u+rx FOLDER`", "reading the folder with the journals of unfinished runs: %w", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".jsonl") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// Read reads a journal. All its errors require a decision by the user.
func (k *Kind[P]) Read(path string) (*Past[P], error) {
	entries, err := journal.Read(path)
	if err != nil {
		return nil, k.unreadable("%w", err)
	}
	past, planned := &Past[P]{Path: path}, false
	for _, e := range entries {
		var err error
		switch e.Kind {
		case kindPlan:
			var stop error
			if planned, stop, err = k.readPlan(past, e); stop != nil {
				return nil, stop
			}
		case kindStep:
			var event workflow.Event
			err = json.Unmarshal(e.Body, &event)
			past.Events, past.Times = append(past.Events, event), append(past.Times, e.Time)
		case kindEnd:
			err = json.Unmarshal(e.Body, &past.End)
		case kindUndo:
			past.Undoing, past.undone = true, len(past.Events)
		}
		if err != nil {
			return nil, k.unreadable("reading %s, entry %d: %w", path, e.Seq, err)
		}
	}
	if !planned {
		return nil, k.unreadable("the journal %s has no plan", path)
	}
	past.Undoing = past.Undoing && past.undone == len(past.Events) && past.End == ""
	return past, nil
}

// unreadable returns the error for a journal that cannot be used. It asks the user to look at the file.
func (k *Kind[P]) unreadable(format string, args ...any) error {
	return operr.NewStopped("open the journal, in which each line records one step; if no step of that "+k.Name+" was done, remove the file", format, args...)
}

// readPlan reads the plan entry. `stop` is the error for a plan that can be parsed but must not be used.
func (k *Kind[P]) readPlan(past *Past[P], e journal.Entry) (found bool, stop, err error) {
	if string(e.Body) == "" || string(e.Body) == "null" {
		return false, nil, nil
	}
	if err := json.Unmarshal(e.Body, &past.Plan); err != nil {
		return false, nil, err
	}
	past.digest = e.Plan
	if k.Readable != nil {
		if err := k.Readable(past.Plan, e.Tool); err != nil {
			return false, operr.NewStopped(operr.NextOf(err), "%s: %w", past.Path, err), nil
		}
	}
	understood, err := digestOf(past.Plan)
	if err != nil || understood == e.Plan {
		return err == nil, nil, err
	}
	if there, _ := digestOf(e.Body); there != e.Plan {
		return false, k.unreadable("the plan in %s was changed after you agreed to it: the digest of the plan is now %s", past.Path, there), nil
	}
	return false, operr.NewStopped("continue with the version of this program that wrote the journal ("+e.Tool+")",
		"another version of this program wrote the plan in %s, and a plan of a %s has other fields in this version (%s)", past.Path, k.Name, k.Tool), nil
}

// Copy writes a journal with the same events and another plan to path.
func (k *Kind[P]) Copy(past *Past[P], path string, plan P) error {
	all, digest, err := entriesOf(plan, past.Events, past.Times)
	if err != nil {
		return err
	}
	j, err := journal.Create(path, "a copy", digest, all...)
	if err != nil {
		return err
	}
	return j.Close()
}

// stampForm is the format of the time at the start of a journal's file name.
const stampForm = "20060102T150405.000Z"

// stamp returns the current time, or one millisecond after the last journal's time. It returns the latter if the clock was set back, or if both times
// are in the same millisecond. So names are unique, and the most recent journal sorts last.
func (k *Kind[P]) stamp() string {
	now := time.Now().UTC().Truncate(time.Millisecond) // file names have millisecond precision
	if names, err := k.names(); err == nil && len(names) > 0 && len(names[len(names)-1]) >= len(stampForm) {
		if then, err := time.Parse(stampForm, names[len(names)-1][:len(stampForm)]); err == nil && !now.After(then) {
			now = then.Add(time.Millisecond)
		}
	}
	return now.Format(stampForm)
}
