package cirun

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// Told lists what a file needs, and which parts of it cannot be run here.
type Told struct {
	File    string   `json:"file"`
	Needs   []Need   `json:"needs"`
	Refused []string `json:"refused"` // reasons why parts of the file cannot be run here
	Doubts  []string `json:"doubts"`  // doubts about action pins
}

// Need lists the things of one kind that a file needs.
type Need struct {
	What string   `json:"what"` // "secrets"
	All  []string `json:"all"`
}

// Look finds out what a file needs, without running it.
func Look(ctx context.Context, c Config, f Flags) (Told, error) {
	if !f.What {
		return Told{}, operr.NewUsage("add -what to print what the file needs, or run this command without -json", "-json works only with -what, not with a run of a workflow file")
	}
	r, _, w, err := c.open(ctx, f)
	if err != nil {
		return Told{}, err
	}
	defer r.remove()
	n := w.Needs()
	t := Told{
		File:    w.File,
		Needs:   []Need{},
		Refused: []string{},
		Doubts:  []string{},
	}
	for _, need := range []Need{
		{What: startsFor, All: n.Events},
		{What: "machines", All: n.Runners},
		{What: "images", All: n.Images},
		{What: "actions", All: n.Actions},
		{What: "workflows", All: n.Workflows},
		{What: "secrets", All: n.Secrets},
		{What: "variables", All: n.Variables},
		{What: "rights", All: n.Rights},
		{What: "environments", All: n.Environments},
	} {
		if len(need.All) > 0 {
			t.Needs = append(t.Needs, need)
		}
	}
	all := runner.New(runner.Config{
		Actions: c.standIns(),
		Files:   r.files,
	})
	for _, err := range all.Refuses(w) {
		t.Refused = append(t.Refused, err.Error())
	}
	for _, err := range w.UnknownPins() {
		t.Doubts = append(t.Doubts, err.Error())
	}
	return t, nil
}

// Show prints what a file needs.
func (t Told) Show(v *view.View) {
	var rows [][]string
	for _, need := range t.Needs {
		rows = append(rows, []string{need.What, strings.Join(need.All, ", ")})
	}
	v.Heading("%s: %s", t.File, "what it needs")
	v.Table(nil, rows)
	for _, why := range t.Refused {
		v.Text("✗ %s", why)
	}
	for _, doubt := range t.Doubts {
		v.Text("○ %s", doubt)
	}
}

// Next returns the next command to run.
func (t Told) Next() string {
	if len(t.Refused) > 0 {
		return "`mage ci:triggers`"
	}
	line := "mage ci:run " + operr.Word(strings.TrimPrefix(t.File, workflows+"/"))
	switch e := t.event(); e {
	case "":
		return "`mage ci:triggers`"
	case "push": // the default event
		return "`" + line + "`"
	default:
		return "`" + line + " -event=" + operr.Word(e) + "`"
	}
}

// event returns an event that triggers the file: a push if possible, otherwise the first in the file; "" if only other files call it.
func (t Told) event() string {
	for _, need := range t.Needs {
		if need.What != startsFor {
			continue
		}
		if slices.Contains(need.All, "push") {
			return "push"
		}
		for _, e := range need.All {
			if e != "workflow_call" {
				return e
			}
		}
	}
	return ""
}

// startsFor describes what triggers a file.
const startsFor = "starts for"
