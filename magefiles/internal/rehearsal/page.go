package rehearsal

import (
	"cmp"
	"fmt"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// clock is the format of times within one rehearsal.
const clock = "15:04:05.0"

// Page renders the report as an HTML page.
func (r Report) Page() view.Report {
	page := view.Report{
		Title:  fmt.Sprintf("%s %s", r.Workspace, r.Release),
		Commit: r.Commit,
		Error:  r.Error,
		Began:  r.About.Began,
		Took:   r.About.Took,
		Facts:  [][2]string{{"machine", r.About.Machine}, {"toolchain", r.About.Toolchain}},
		Plan:   r.About.Plan,
		Next:   r.next(),
	}
	for _, s := range r.Steps {
		step := view.ReportStep{Name: s.Name, Of: s.Of, Event: s.Event, Began: s.Began, Took: s.Took, Evidence: s.Evidence, Log: s.Log}
		if s.Name == trace.StepAgree {
			step.Log = "" // the log is the plan, which the page already has
		}
		page.Steps = append(page.Steps, step)
	}
	for _, j := range r.Jobs {
		if j.Run != nil {
			steps := j.Run.Steps()
			if len(steps) > 0 {
				steps[0].Heading = fmt.Sprintf("The jobs of %s for %s, which ran meanwhile", j.Run.Workflow, cmp.Or(j.Tag, j.Branch))
			}
			page.Steps = append(page.Steps, steps...)
		}
	}
	for _, p := range r.Packages {
		page.Artifacts = append(page.Artifacts, []string{p.Name, p.Version, p.File, columns.Digest(p.SHA256), columns.Size(p.Size)})
	}
	for _, s := range r.Fleet {
		page.Fleet = append(page.Fleet, []string{s.Environment, s.Host, fleet.Short(s.Digest), s.From.UTC().Format(clock), s.Until.UTC().Format(clock), fmt.Sprint(s.Answers), fmt.Sprint(s.Failed)})
	}
	for _, m := range r.Missing {
		page.Missing = append(page.Missing, [2]string{m.What, m.Why})
	}
	return page
}
