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

// Past is what a journal has of a session.
type Past[P Plan] struct {
	Path    string
	Plan    P
	Events  []workflow.Event
	Times   []time.Time // of the events
	End     End         // "" where it has not ended
	Undoing bool        // an Undo was begun, and has not ended as far as is known

	digest string // of the plan, as it was agreed to; "" where there is no journal
	undone int    // how many of the events are from before the Undo that was begun last: what they say was done may be taken back
}

// standing are the events of which the word is to be taken.
func (p *Past[P]) standing() []workflow.Event { return p.Events[p.undone:] }

// Began reports whether a step was begun by this session: what it found as it should be already, it has not done. It is what a way back
// asks, since a step that was begun, and of which no end is known, may be done.
func (p *Past[P]) Began(step string) bool {
	return p.has(step, workflow.Started)
}

// Did reports whether a step was done, or found as it should be, as far as the journal knows: a step that did it and was killed before it
// could say so has not. For a way back, Began is the question.
func (p *Past[P]) Did(step string) bool {
	return p.has(step, workflow.Done, workflow.Found)
}

func (p *Past[P]) has(step string, kinds ...workflow.Kind) bool {
	return slices.ContainsFunc(p.Events, func(event workflow.Event) bool { return event.Step == step && slices.Contains(kinds, event.Kind) })
}

func (k *Kind[P]) journals() string { return filepath.Join(k.Dir, k.Name+"s") }

// Last is the session that was begun last; nil where there is none.
func (k *Kind[P]) Last() (*Past[P], error) {
	names, err := k.names()
	if len(names) == 0 || err != nil {
		return nil, err
	}
	return k.Read(filepath.Join(k.journals(), names[len(names)-1]))
}

// All are the sessions of which the journal can be read, the oldest first.
func (k *Kind[P]) All() (all []*Past[P], err error) {
	names, err := k.names()
	for _, name := range names {
		if past, err := k.Read(filepath.Join(k.journals(), name)); err == nil { // else Last says it of the one that counts
			all = append(all, past)
		}
	}
	return all, err
}

// names are those of the journals, the oldest first.
func (k *Kind[P]) names() (names []string, err error) {
	entries, err := os.ReadDir(k.journals())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, operr.New("see that it is a folder that can be read", "what is unfinished is kept there: %w", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".jsonl") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// Read reads a journal. Each of its errors stops for a person.
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
		return nil, k.unreadable("there is no plan in %s", path)
	}
	past.Undoing = past.Undoing && past.undone == len(past.Events) && past.End == ""
	return past, nil
}

// unreadable is the error about a journal that nothing can be done with. Its file says in plain text what was done.
func (k *Kind[P]) unreadable(format string, args ...any) error {
	return operr.NewStopped("look at it: each line is what was done; where nothing of that "+k.Name+" was, remove the file", format, args...)
}

// readPlan reads the entry of a plan. stop is why it is not to be used, though it can be read.
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
		return false, k.unreadable("the plan in %s is not the one that was agreed to: its digest is %s", past.Path, there), nil
	}
	return false, operr.NewStopped("go on with the version of this program that began it ("+e.Tool+")",
		"the plan in %s is of another version of this program, which knows other things of a %s than this one (%s)", past.Path, k.Name, k.Tool), nil
}

// Copy writes a journal to another path, for another plan that its steps are as good for.
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

// stampForm is that of the time which a journal's name begins with.
const stampForm = "20060102T150405.000Z"

// stamp is the present, or, where the clock has gone back since, the moment after the last journal's: the last one is known by
// its name.
func (k *Kind[P]) stamp() string {
	now := time.Now().UTC()
	if names, err := k.names(); err == nil && len(names) > 0 && len(names[len(names)-1]) >= len(stampForm) {
		if then, err := time.Parse(stampForm, names[len(names)-1][:len(stampForm)]); err == nil && !now.After(then) {
			now = then.Add(time.Millisecond)
		}
	}
	return now.Format(stampForm)
}
