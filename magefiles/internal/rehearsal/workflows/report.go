package workflows

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
)

// Report holds a run's results.
type Report struct {
	Workflow   string                       `json:"workflow"`
	Conclusion string                       `json:"conclusion"` // "" if no job ran
	Jobs       []Job                        `json:"jobs"`
	Notes      []string                     `json:"notes,omitempty"`  // differences from GitHub
	Doubts     []string                     `json:"doubts,omitempty"` // likely mistakes that GitHub ignores silently, with file and line
	Artifacts  map[string]map[string][]byte `json:"-"`                // files of artifacts, by the artifact's name and the path
	Err        error                        `json:"-"`                // why the run failed
}

// Job is a job of a run, for one combination of its matrix.
type Job struct {
	Name        string        `json:"name"`
	Line        int           `json:"line"`
	Conclusion  string        `json:"conclusion"`
	Why         string        `json:"why,omitempty"`
	Grant       string        `json:"grant"` // permissions of the job's token, on one line
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
	Log        []string      `json:"log,omitempty"`           // the last lines, with secrets masked
	Left       []string      `json:"not_rehearsed,omitempty"` // targets that the step reported as skipped
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

// leftBy returns the targets that a step reports as skipped.
func leftBy(s *runner.Step) (all []string) {
	for _, a := range s.Annotations {
		if a.Title == left {
			all = append(all, a.Message)
		}
	}
	return all
}

// readArtifacts reads the artifacts of jobs before the folders of a run are removed.
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
