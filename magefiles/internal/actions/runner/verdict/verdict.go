// Package verdict turns a failed workflow run into an error that quotes the lines of the file that caused the failure.
package verdict

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// lastLines is the number of lines shown from the end of a step's log.
const lastLines = 20

// Of returns nil if a run succeeded or was skipped. Otherwise the error names the first step that caused the failure, with the permissions that the
// file grants to its job.
func Of(r *runner.Result) error {
	switch r.Conclusion {
	case runner.Success, runner.Skipped:
		return nil
	}
	for _, with := range []string{runner.Failure, runner.Canceled} {
		for _, j := range r.Jobs {
			if err := blame(r, j, with, "", ""); err != nil {
				return err
			}
		}
	}
	why := r.Why
	if why == "" {
		why = "the run is " + r.Conclusion
	}
	return operr.New("run this command again", "%s: %s", r.File, why)
}

// `rerunCommand` returns the command that runs a job for the event of its run. Without -event, the event is a push.
func rerunCommand(r *runner.Result, job string) []string {
	words := []string{"mage", "ci:run", path.Base(r.File)}
	if r.Event != "push" {
		words = append(words, "-event="+r.Event)
	}
	return append(words, "-job="+job)
}

// blame returns an error about the first leg or step of a job that has the conclusion `with`, or nil if there is none. `by` describes which job calls
// the file, and `granted` where that job gets its permissions; both are "" if no job calls the file.
func blame(r *runner.Result, j *runner.Job, with, by, granted string) error {
	next := "`" + operr.Line(rerunCommand(r, j.ID)) + "` runs only this job again"
	if len(j.Legs) == 0 && j.Conclusion == with {
		return operr.New(next, "%s:%d: the job %s ended with %s: %s", r.File, j.Line, j.ID, with, j.Why)
	}
	for _, l := range j.Legs {
		if l.Conclusion != with || l.Allowed {
			continue
		}
		hands := granted
		if l.Rights.Is() {
			hands = at(l.Node, l.Rights.Line())
		}
		for _, called := range l.Jobs {
			by := fmt.Sprintf("; %s calls this file", at(l.Node, j.Line))
			if !l.Node.At("secrets").Is() {
				by += ", and passes no secrets"
			}
			if err := blame(r, called, with, by, hands); err != nil {
				return err
			}
		}
		for _, s := range l.Steps {
			if s.Conclusion == with {
				return operr.New(next, "%s: the step %q of the job %s ended with %s; %s", at(l.Node, s.Line), s.Name, l.Name, with, describeGrant(j, l, granted)+after(r, j, l)+by).
					WithDetail(detail(r, l, s))
			}
		}
		return operr.New(next, "%s: the job %s ended with %s: %s", at(l.Node, j.Line), l.Name, with, l.Why)
	}
	return nil
}

// `at` returns a line of the job's file.
func at(job file.Node, line int) string {
	var p *file.Problem
	if errors.As(job.Problem(""), &p) {
		return fmt.Sprintf("%s:%d", p.File, line)
	}
	return fmt.Sprint(line)
}

// `describeGrant` lists a leg's permissions and environment, with their lines in the file. `granted` describes where the calling job gets its
// permissions.
func describeGrant(j *runner.Job, l *runner.Leg, granted string) string {
	may := "the job may: " + l.Grant.String()
	switch {
	case l.Rights.Is():
		may += fmt.Sprintf(" (permissions in line %d)", l.Rights.Line())
	case granted != "":
		may += " (permissions of the job that calls it, " + granted + ")"
	default:
		may += " (the file sets no permissions)"
	}
	if l.Environment == "" {
		return may + fmt.Sprintf("; no environment (the job is in line %d)", j.Line)
	}
	return may + fmt.Sprintf("; environment %s (line %d)", l.Environment, l.Node.At("environment").Line())
}

// `after` describes for which matrix legs each needed job ran, because the leg may be missing the result of one of them.
func after(r *runner.Result, j *runner.Job, l *runner.Leg) (says string) {
	for _, need := range l.Node.At("needs").Items() {
		for _, other := range r.Jobs {
			if other.ID != strings.TrimSuffix(j.ID, path.Base(j.ID))+need.Text() || len(other.Legs) == 0 || other.Legs[0].Matrix == nil {
				continue
			}
			var names []string
			for _, leg := range other.Legs {
				names = append(names, leg.Name)
			}
			says += fmt.Sprintf("; %s ran for %s (matrix in line %d)", need.Text(), strings.Join(names, ", "), other.Legs[0].Node.At("strategy", "matrix").Line())
		}
	}
	return says
}

// notFound matches a shell's error for a missing program.
var notFound = regexp.MustCompile(`(?:^|: )([\w.+-]+): (?:command )?not found$`)

// detail returns the end of a step's log, and the doubts about the file.
func detail(r *runner.Result, l *runner.Leg, s *runner.Step) string {
	log := s.Log
	if len(log) > lastLines {
		log = log[len(log)-lastLines:]
	}
	lines := append([]string{}, log...)
	for _, line := range log {
		if m := notFound.FindStringSubmatch(line); m != nil {
			if slices.Contains(l.Lacks, m[1]) {
				lines = append(lines, m[1]+" is on GitHub's machine, but not on this machine: install the program to run the step here")
				break
			}
			lines = append(lines, m[1]+" is not on PATH: no step of the job before line "+strconv.Itoa(s.Line)+" installs it, and GitHub's machine does not have it")
			break
		}
	}
	for _, d := range r.Doubts {
		lines = append(lines, "look at "+d.Error())
	}
	return strings.Join(lines, "\n")
}
