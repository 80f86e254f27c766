package cirun

import (
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

var marks = map[string]string{
	runner.Success:  "✓",
	runner.Failure:  "✗",
	runner.Canceled: "✗",
	runner.Skipped:  "○",
}

// show prints each job with its grant, its time and its steps.
func show(v *view.View, r *runner.Result) {
	for _, j := range r.Jobs {
		showJob(v, j, "")
	}
	for _, n := range r.Notes {
		v.Line("note: %s", view.Plain(n))
	}
	if r.Why != "" {
		v.Line("%s: %s", r.Conclusion, r.Why)
	}
}

func showJob(v *view.View, j *runner.Job, indent string) {
	if len(j.Legs) == 0 {
		v.Line("%s%s %s: %s (%s)", indent, marks[j.Conclusion], j.ID, j.Conclusion, view.Plain(j.Why))
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
		v.Line("%s%s %s: %s", indent, marks[l.Conclusion], view.Plain(l.Name), strings.Join(about, "; "))
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
		v.Line("%s%s %s (%s%s)", indent, marks[s.Conclusion], view.Plain(s.Name), columns.Took(s.Took), more)
		showSteps(v, s.Steps, indent+"  ")
	}
}

// failed is the error of a run that did not go well, which names the first step that is to blame.
func failed(r *runner.Result) error {
	switch r.Conclusion {
	case runner.Success, runner.Skipped:
		return nil
	}
	for _, with := range []string{runner.Failure, runner.Canceled} {
		for _, j := range r.Jobs {
			if what := blame(j, with); what != "" {
				return operr.New("what it said is above; run it again with -job="+j.ID, "%s: %s", r.File, what)
			}
		}
	}
	return operr.New("run it again", "%s: the run is %s", r.File, r.Conclusion)
}

// blame names what ended so in a job; "" where nothing did.
func blame(j *runner.Job, with string) string {
	if len(j.Legs) == 0 && j.Conclusion == with {
		return fmt.Sprintf("the job %s is a %s: %s", j.ID, with, j.Why)
	}
	for _, l := range j.Legs {
		if l.Conclusion != with || l.Allowed {
			continue
		}
		for _, called := range l.Jobs {
			if what := blame(called, with); what != "" {
				return what
			}
		}
		for _, s := range l.Steps {
			if s.Conclusion == with {
				return fmt.Sprintf("line %d: the step %q of the job %s: %s", s.Line, s.Name, l.Name, with)
			}
		}
		return fmt.Sprintf("the job %s: %s %s", l.Name, with, l.Why)
	}
	return ""
}
