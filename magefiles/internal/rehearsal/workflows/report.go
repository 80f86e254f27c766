package workflows

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
)

// Report is what came of a run.
type Report struct {
	Workflow   string                       `json:"workflow"`
	Conclusion string                       `json:"conclusion"` // "" where no job ran
	Jobs       []Job                        `json:"jobs"`
	Notes      []string                     `json:"notes,omitempty"`  // what is not as it would be on GitHub
	Doubts     []string                     `json:"doubts,omitempty"` // what GitHub passes over in silence, with file and line
	Artifacts  map[string]map[string][]byte `json:"-"`                // their files, by name and path
	Err        error                        `json:"-"`                // why it did not go well
}

// Job is a job of a run, for one combination of its matrix.
type Job struct {
	Name        string        `json:"name"`
	Line        int           `json:"line"`
	Conclusion  string        `json:"conclusion"`
	Why         string        `json:"why,omitempty"`
	Grant       string        `json:"grant"` // what its token may do, in one line
	Environment string        `json:"environment,omitempty"`
	Began       time.Time     `json:"began"`
	Took        time.Duration `json:"took_ns"`
	Steps       []Step        `json:"steps,omitempty"`
}

// Step is a step of a job.
type Step struct {
	Name       string        `json:"name"`
	Line       int           `json:"line"`
	Conclusion string        `json:"conclusion"`
	StandIn    bool          `json:"stand_in,omitempty"`
	Took       time.Duration `json:"took_ns"`
	Log        []string      `json:"log,omitempty"`           // the last lines, without secrets
	Left       []string      `json:"not_rehearsed,omitempty"` // what the step says that it did not do
}

func newReport(r *runner.Result) Report {
	report := Report{
		Conclusion: r.Conclusion,
		Notes:      r.Notes,
	}
	for _, d := range r.Doubts {
		report.Doubts = append(report.Doubts, d.Error())
	}
	report.take(r.Jobs)
	return report
}

func (r *Report) take(jobs []*runner.Job) {
	for _, j := range jobs {
		if len(j.Legs) == 0 {
			r.Jobs = append(r.Jobs, Job{
				Name:       j.ID,
				Line:       j.Line,
				Conclusion: j.Conclusion,
				Why:        j.Why,
			})
		}
		for _, l := range j.Legs {
			one := Job{
				Name:        l.Name,
				Line:        j.Line,
				Conclusion:  l.Conclusion,
				Why:         l.Why,
				Grant:       l.Grant.String(),
				Environment: l.Environment,
				Began:       l.Began,
				Took:        l.Took,
			}
			for _, s := range l.Steps {
				one.Steps = append(one.Steps, Step{
					Name:       s.Name,
					Line:       s.Line,
					Conclusion: s.Conclusion,
					StandIn:    s.StandIn,
					Took:       s.Took,
					Log:        s.Log,
					Left:       leftBy(s),
				})
			}
			r.Jobs = append(r.Jobs, one)
			r.take(l.Jobs)
		}
	}
}

// leftBy is what a step says that it did not do.
func leftBy(s *runner.Step) (all []string) {
	for _, a := range s.Annotations {
		if a.Title == left {
			all = append(all, a.Message)
		}
	}
	return all
}

// readArtifacts reads what jobs have handed over: the folders of a run go.
func readArtifacts(r *runner.Result) (map[string]map[string][]byte, error) {
	all := map[string]map[string][]byte{}
	for name, dir := range r.Artifacts {
		files := map[string][]byte{}
		err := fs.WalkDir(os.DirFS(dir), ".", func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files[file], err = os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
			return err
		})
		if err != nil {
			return nil, err
		}
		all[name] = files
	}
	return all, nil
}
