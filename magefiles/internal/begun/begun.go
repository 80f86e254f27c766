// Package begun reads what a clone has of a delivery, for those who know nothing of hosts: that one is unfinished, how far it is, and what can
// be taken back. It links neither an engine nor ssh.
//
//	begun.go
package begun

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Steps of a delivery that can be told apart from outside; those of an environment are DeployTo.
const (
	StepPins   = "pins"
	StepCommit = "commit"
	StepPush   = "push"
	StepImage  = "image"
)

// DeployTo is the name of the step that brings an image to an environment.
func DeployTo(environment string) string { return "deploy to " + environment }

// Name is that of the kind of sessions that deliveries are.
const Name = "delivery"

// Dir is the folder of their journals, in the folder of a clone's state.
func Dir(state string) string { return filepath.Join(state, "deliver") }

// Delivery is one that is unfinished.
type Delivery struct {
	App          string   `json:"app"`
	Since        string   `json:"since"` // RFC 3339
	Environments []string `json:"environments"`
	Done         []string `json:"done"`              // steps, also those whose effect was found
	Undoing      bool     `json:"undoing"`           // it is being taken back
	Running      string   `json:"running,omitempty"` // the process that is at work on it now, and since when; "" for none
	TakenBack    []string `json:"taken_back"`        // what `mage deliver -undo` would do, and what stays
}

// plan is one of which only this is of interest; the rest is kept as it is.
type plan struct{ json.RawMessage }

// Label is what session.Plan wants.
func (*plan) Label() string { return Name }

// Unfinished is the delivery that a clone has not finished; nil where there is none.
func Unfinished(state string) (*Delivery, error) {
	kind := &session.Kind[*plan]{Name: Name, Dir: Dir(state)}
	past, err := kind.Last()
	if err != nil || past == nil || past.End != "" {
		return nil, err
	}
	d := &Delivery{Undoing: past.Undoing, Done: []string{}}
	if err := json.Unmarshal(past.Plan.RawMessage, d); err != nil {
		return nil, err
	}
	if d.Running, err = kind.Holder(); err != nil {
		return nil, err
	}
	if len(past.Times) > 0 {
		d.Since = past.Times[0].Format(time.RFC3339)
	}
	for _, event := range past.Events {
		if (event.Kind == workflow.Done || event.Kind == workflow.Found) && !slices.Contains(d.Done, event.Step) {
			d.Done = append(d.Done, event.Step)
		}
	}
	d.TakenBack = takenBack(past, d)
	return d, nil
}

// takenBack says in words what a way back does, the last thing first.
func takenBack(past *session.Past[*plan], d *Delivery) (all []string) {
	for _, environment := range slices.Backward(d.Environments) {
		if past.Began(DeployTo(environment)) {
			all = append(all, environment+" goes back to the release before, where it has the new one")
		}
	}
	if past.Did(StepImage) {
		all = append(all, "the image stays in the registry")
	}
	switch {
	case past.Began(StepPush):
		all = append(all, "a commit that is pushed stays: `git revert` takes it back")
	case past.Began(StepCommit):
		all = append(all, "the commit, which is in this clone alone, is removed")
	case past.Began(StepPins):
		all = append(all, "the files that it changed are restored")
	}
	if len(all) == 0 {
		all = append(all, "nothing was changed")
	}
	return all
}

// Lines are what a person is told of it.
func (d *Delivery) Lines() []string {
	far := "nothing is done yet"
	if len(d.Done) > 0 {
		far = "the last step that is done is " + d.Done[len(d.Done)-1]
	}
	goes := "`mage deliver` goes on, `mage deliver -status` says more"
	if d.Undoing {
		far, goes = "it is being taken back", "`mage deliver -undo` goes on with that"
	}
	if d.Running != "" {
		return []string{"a delivery of " + d.App + " to " + strings.Join(d.Environments, ", then ") + " is under way (" + d.Running + "): " + far + "; `mage deliver -status` says more"}
	}
	return []string{
		"a delivery of " + d.App + " to " + strings.Join(d.Environments, ", then ") + " is unfinished: " + far + "; " + goes,
		"`mage deliver -undo` takes it back: " + strings.Join(d.TakenBack, "; "),
	}
}
