package cirun

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/view"
)

var marks = map[string]string{
	runner.Success:  "✓",
	runner.Failure:  "✗",
	runner.Canceled: "✗",
	runner.Skipped:  "○",
}

// show prints each job with its permissions, its duration and its steps.
func show(v *view.View, r *runner.Result) {
	for _, j := range r.Jobs {
		showJob(v, j, "")
	}
	for _, n := range r.Notes {
		v.Text("note: %s", view.Plain(n))
	}
	for _, d := range r.Doubts {
		v.Text("look at %s", view.Plain(d.Error()))
	}
	if r.Why != "" {
		v.Text("%s: %s", r.Conclusion, r.Why)
	}
}

func showJob(v *view.View, j *runner.Job, indent string) {
	if len(j.Legs) == 0 {
		v.Text("%s%s %s: %s (%s)", indent, marks[j.Conclusion], j.ID, j.Conclusion, view.Plain(j.Why))
	}
	for _, l := range j.Legs {
		about := []string{l.Conclusion, columns.Took(l.Took)}
		if l.Grant != nil {
			about = append(about, "may: "+l.Grant.String())
		}
		if l.Environment != "" {
			about = append(about, "environment "+l.Environment)
		}
		if l.Why != "" {
			about = append(about, view.Plain(l.Why))
		}
		v.Text("%s%s %s: %s", indent, marks[l.Conclusion], view.Plain(l.Name), strings.Join(about, "; "))
		showSteps(v, l.Steps, indent+"  ")
		for _, called := range l.Jobs {
			showJob(v, called, indent+"  ")
		}
	}
}

func showSteps(v *view.View, steps []*runner.Step, indent string) {
	for _, s := range steps {
		more := ""
		if s.StandIn {
			more = ", a stand-in"
		}
		if s.Outcome != s.Conclusion {
			more += ", " + s.Outcome + " is allowed"
		}
		v.Text("%s%s %s (%s%s)", indent, marks[s.Conclusion], view.Plain(s.Name), columns.Took(s.Took), more)
		showSteps(v, s.Steps, indent+"  ")
	}
}
