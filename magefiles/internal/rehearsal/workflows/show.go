package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/machine"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Left is what a run did not do as GitHub would, or not at all, each with the reason; once says that nothing was to be built twice.
func (r *Report) Left(once bool) (all [][2]string) {
	for _, j := range r.Jobs {
		what := "the job " + j.Name + ", " + r.Workflow + ":" + strconv.Itoa(j.Line)
		switch {
		case j.Conclusion != runner.Skipped:
		case j.Name == "rebuild" && once:
			all = append(all, [2]string{what, "-full runs it"})
		default:
			all = append(all, [2]string{what, "it was skipped: " + j.Why})
		}
	}
	return append(all, [2]string{"GitHub's machines", strings.Join(append(slices.Sorted(slices.Values(r.Notes)), machine.Caches), "; ")})
}

// Tell shows a run, each job with its time and its rights.
func (r *Report) Tell(v *view.View, tag string) {
	if r.Conclusion == "" {
		return
	}
	v.Line("  %s for %s:", r.Workflow, tag)
	for _, j := range r.Jobs {
		if j.Conclusion != runner.Skipped {
			v.Text("    %s %s %s  %s", cmp.Or(map[string]string{runner.Success: "✓"}[j.Conclusion], "✗"), view.Plain(j.Name), columns.Took(j.Took), j.given())
		}
	}
}

// given is what the file gives a job.
func (j Job) given() string {
	if j.Environment == "" {
		return "may: " + j.Grant
	}
	return "may: " + j.Grant + "; environment " + j.Environment
}

// Steps are the jobs, as a page shows steps: with what was granted, and the end of the log of each of their steps.
func (r *Report) Steps() (all []view.ReportStep) {
	for _, j := range r.Jobs {
		if j.Began.IsZero() {
			continue
		}
		event := string(workflow.Done)
		if j.Conclusion != runner.Success {
			event = string(workflow.Failed)
		}
		lines := []string{j.Conclusion + "; " + j.given()}
		for _, s := range j.Steps {
			lines = append(lines, fmt.Sprintf("%s:%d %s: %s, %s", r.Workflow, s.Line, s.Name, s.Conclusion, columns.Took(s.Took)))
			for _, l := range s.Log {
				lines = append(lines, "    "+l)
			}
		}
		all = append(all, view.ReportStep{
			Name:     j.Name,
			Of:       r.Workflow,
			Event:    event,
			Began:    j.Began,
			Took:     j.Took,
			Evidence: strings.Join(lines, "\n"),
		})
	}
	return all
}
