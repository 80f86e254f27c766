package view

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Standings writes a line for each step of a session: its state in the journal, and its actual state if that differs. `running` is true if a process
// is working on the session now.
func (v *View) Standings(steps []workflow.Standing, running bool) {
	v.lock()
	defer v.unlock()
	for _, s := range steps {
		mark, says := standing(s)
		if running && s.Recorded == workflow.Started {
			mark, says = "▸", "under way"
		}
		painted := v.paint(faint, mark)
		switch mark {
		case "✓":
			painted = v.paint(green, mark)
		case "✗":
			painted = v.paint(red, mark)
		}
		fmt.Fprintln(v.Out, v.broken(v.text("%s %-18s %s", painted, s.Step, says), 4))
	}
}

// standing returns a step's mark and description.
func standing(s workflow.Standing) (mark, says string) {
	said, seen := firstLine(s.Said), firstLine(s.Seen)
	trouble := "the state now is unknown: " + seen
	switch s.Recorded {
	case workflow.Done, workflow.Found, workflow.Skipped:
		mark, says = "✓", cmp.Or(said, "done")
		if s.Recorded == workflow.Skipped {
			mark, says = "○", "skipped: "+said
		}
		switch s.World {
		case workflow.IsNotDone:
			return "✗", says + "; not there now"
		case workflow.Trouble:
			return "✗", says + "; " + trouble
		case workflow.IsDone, workflow.NotAsked, workflow.NotNeeded:
		}
		return mark, says
	case workflow.Failed:
		says = "failed: " + said
		if s.Stopped {
			says = "stopped here: " + said
		}
	case workflow.Started:
		says = "started, but not finished"
	}
	switch {
	case s.World == workflow.IsDone && says == "":
		return "✓", cmp.Or(seen, "done")
	case s.World == workflow.IsDone:
		return "✓", fmt.Sprintf("%s; done now: %s", says, seen)
	case s.World == workflow.NotNeeded && says == "":
		return "○", "skipped: " + seen
	case s.World == workflow.Trouble && says == "":
		return "✗", trouble
	case s.World == workflow.Trouble && seen != said:
		return "✗", says + "; " + trouble
	case says == "":
		return "○", "to do"
	}
	return "✗", says
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
