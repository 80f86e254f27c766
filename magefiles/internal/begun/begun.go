// Package begun reads a clone's unfinished delivery: its progress, and the effect of undoing it. It does not link a container engine or ssh, so it
// can be used by packages that do not contact hosts.
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

// Steps of a delivery that other packages refer to. DeployTo returns the names of the deployment steps.
const (
	StepPins   = "pins"
	StepCommit = "commit"
	StepPush   = "push"
	StepImage  = "image"
)

// DeployTo returns the name of the step that deploys an image to an environment.
func DeployTo(environment string) string { return "deploy to " + environment }

// Name is the session kind of deliveries.
const Name = "delivery"

// Dir returns the subfolder of a state folder for the journals and the lock of deliveries.
func Dir(state string) string { return filepath.Join(state, "deliver") }

// Delivery is an unfinished delivery.
type Delivery struct {
	App          string   `json:"app"`
	Since        string   `json:"since"` // RFC 3339
	Environments []string `json:"environments"`
	Done         []string `json:"done"`              // completed steps, including steps that needed no work
	Undoing      bool     `json:"undoing"`           // whether the delivery is being undone
	Running      string   `json:"running,omitempty"` // the process that works on the delivery, and its start time; "" if no process does
	TakenBack    []string `json:"taken_back"`        // effects of `mage deliver -undo`, including what it does not undo
}

// plan holds the plan of a delivery as JSON. Only a few of its fields are used here.
type plan struct{ json.RawMessage }

// Label implements session.Plan.
func (*plan) Label() string { return Name }

// StateOf returns the state folder for the deliveries of a work tree on a branch. `own` is the folder of this work tree, and `shared` is the folder
// of all work trees. An earlier version kept all journals in `shared`. If that version left an unfinished delivery of a linked work tree, it is
// continued in `shared`. Such a delivery is recognized by its branch, because git does not check out a branch in two work trees.
func StateOf(own, shared, branch string) (string, error) {
	if own == shared || branch == "" {
		return own, nil
	}
	mine, err := kindOf(own, shared).Last()
	if err != nil || mine != nil && mine.End == "" {
		return own, err
	}
	past, err := kindOf(shared, shared).Last()
	if err != nil || past == nil || past.End != "" {
		//lint:ignore nilerr the main work tree reports this error
		return own, nil
	}
	var of struct{ Branch string }
	if err := json.Unmarshal(past.Plan.RawMessage, &of); err != nil || of.Branch != branch {
		return own, err
	}
	return shared, nil
}

func kindOf(state, shared string) *session.Kind[*plan] {
	return &session.Kind[*plan]{Name: Name, Dir: Dir(state), Locks: Dir(shared)}
}

// Unfinished returns a work tree's unfinished delivery, or nil if there is none. `shared` is the state folder of all work trees of the clone, which
// contains the lock for deliveries.
func Unfinished(state, shared string) (*Delivery, error) {
	kind := kindOf(state, shared)
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
	d.TakenBack = describeUndo(past, d)
	return d, nil
}

// describeUndo returns sentences about the effects of an undo, last step first.
func describeUndo(past *session.Past[*plan], d *Delivery) (all []string) {
	for _, environment := range slices.Backward(d.Environments) {
		if past.Began(DeployTo(environment)) {
			all = append(all, environment+" goes back to the previous release, if the new release runs there")
		}
	}
	if past.Did(StepImage) {
		all = append(all, "the image stays in the registry")
	}
	switch {
	case past.Began(StepPush):
		all = append(all, "a pushed commit stays, and can be reverted with `git revert`")
	case past.Began(StepCommit):
		all = append(all, "the commit, which is only in this clone, is removed")
	case past.Began(StepPins):
		all = append(all, "the files that the delivery changed are restored")
	}
	if len(all) == 0 {
		all = append(all, "nothing was changed")
	}
	return all
}

// Lines returns a description of the delivery for the user.
func (d *Delivery) Lines() []string {
	far := "no step is done yet"
	if len(d.Done) > 0 {
		far = "the last completed step is " + d.Done[len(d.Done)-1]
	}
	goes := "`mage deliver` continues the delivery, and `mage deliver -status` shows more"
	if d.Undoing {
		far, goes = "the undo of the delivery has begun", "`mage deliver -undo` continues the undo"
	}
	if d.Running != "" {
		return []string{"a delivery of " + d.App + " to " + strings.Join(d.Environments, ", then ") + " is under way (" + d.Running + "): " + far + "; `mage deliver -status` shows more"}
	}
	return []string{
		"a delivery of " + d.App + " to " + strings.Join(d.Environments, ", then ") + " is unfinished: " + far + "; " + goes,
		"`mage deliver -undo` undoes the delivery: " + strings.Join(d.TakenBack, "; "),
	}
}
