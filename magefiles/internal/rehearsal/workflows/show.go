package workflows

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/machine"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// ListLeftOut returns what the given runs omitted or did differently from GitHub, each with the reason. Jobs that ran in any of the runs are not
// listed. `once` reports whether a second build was skipped.
func ListLeftOut(runs []*Report, once bool) (all [][2]string) {
	ran, notes := map[string]bool{}, map[string]bool{}
	place := func(r *Report, j Job) string { return r.Workflow + ":" + strconv.Itoa(j.Line) }
	for _, r := range runs {
		for _, note := range r.Notes {
			notes[note] = true
		}
		for _, j := range r.Jobs {
			if j.Conclusion != runner.Skipped {
				ran[place(r, j)] = true
			}
		}
	}
	for _, r := range runs {
		var again []string
		for _, j := range r.Jobs {
			for _, s := range j.Steps {
				for _, what := range s.Left {
					again = append(again, fmt.Sprintf("`%s` in line %d", what, s.Line))
				}
			}
			if ran[place(r, j)] {
				continue
			}
			ran[place(r, j)] = true
			why := "it was skipped: " + j.Why
			if j.Name == "rebuild" && once {
				why = "-full runs it"
			}
			all = append(all, [2]string{"the job " + j.Name + ", " + place(r, j), why})
		}
		if len(again) > 0 {
			slices.Sort(again)
			what := strings.Join(slices.Compact(again), ", ") + " of " + r.Workflow
			all = append(all, [2]string{what, "the step was skipped and counts as passed, because it only checks the sources, which have not changed"})
		}
	}
	if len(runs) == 0 {
		return nil
	}
	return append(all, [2]string{"GitHub's machines", strings.Join(append(slices.Sorted(maps.Keys(notes)), machine.Caches), "; ")})
}

// Tell prints a run for a tag or a branch: each job with its duration and permissions.
func (r *Report) Tell(v *view.View, ref string) {
	if r.Conclusion == "" {
		return
	}
	v.Text("  %s for %s:", r.Workflow, ref)
	for _, j := range r.Jobs {
		if j.Conclusion != runner.Skipped {
			v.Text("    %s %s %s  %s", cmp.Or(map[string]string{runner.Success: "✓"}[j.Conclusion], "✗"), view.Plain(j.Name), columns.Took(j.Took), j.given())
		}
	}
}

// `given` returns what the file gives a job.
func (j Job) given() string {
	if j.Environment == "" {
		return "may: " + j.Grant
	}
	return "may: " + j.Grant + "; environment " + j.Environment
}

// Steps returns the jobs as steps for a page, with their grants and the ends of their steps' logs.
func (r *Report) Steps() (all []view.ReportStep) {
	for _, j := range r.Jobs {
		if j.Began.IsZero() {
			continue
		}
		event := string(workflow.Done)
		if j.Conclusion != runner.Success {
			event = string(workflow.Failed)
		}
		lines := []string{j.given()}
		if j.Conclusion != runner.Success {
			lines[0] = j.Conclusion + "; " + lines[0]
		}
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
