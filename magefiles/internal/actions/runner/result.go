package runner

import (
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
)

// What a job, a leg or a step ended with, as GitHub names it.
const (
	Success  = "success"
	Failure  = "failure"
	Canceled = "cancelled"
	Skipped  = "skipped"
)

// Result is what came of a run.
type Result struct {
	File, Event, Ref string
	Conclusion       string
	Why              string            // of a run that was canceled before a job of it began
	Jobs             []*Job            // in the order in which the files have them; one of a called workflow follows the job that calls it
	Artifacts        map[string]string // the folder of each one, by its name
	Notes            []string          // what is not as it would be on GitHub
	Doubts           []error           // each a [file.Problem]: what GitHub passes over in silence, and hardly anybody means
}

// Job is a job of a run.
type Job struct {
	Line       int    // where its file has it
	ID         string // with those of the jobs that called its workflow before it: deploy/build
	Conclusion string
	Why        string // of one that has no leg
	Legs       []*Leg
	Outputs    map[string]string
}

// Leg is a job for one combination of its matrix, or for none.
type Leg struct {
	Name        string
	Matrix      *expression.Object // nil for a job without one
	Conclusion  string
	Why         string // of one that did not end by its steps
	Allowed     bool   // it failed, and continue-on-error lets the run pass
	Environment string
	Grant       rights.Grant
	Node        file.Node // the job in its file
	Rights      file.Node // the permissions that count for it; the zero Node where nothing says any
	Steps       []*Step
	Jobs        []*Job   // of the workflow that it calls
	Lacks       []string // programs that GitHub's machine has, and this one has not
	Summary     string   // what its steps wrote to GITHUB_STEP_SUMMARY
	Began       time.Time
	Took        time.Duration
}

// Step is a step that was come to.
type Step struct {
	Name, ID    string
	Line        int
	Uses        string // "" for one that runs a script
	StandIn     bool   // a stand-in did what the action does as far as it matters
	Outcome     string // before continue-on-error
	Conclusion  string
	Annotations []Annotation
	Log         []string // the last lines, without secrets
	Steps       []*Step  // of a composite action
	Took        time.Duration
}

// Annotation is a message that GitHub shows beside a file, or beside the run.
type Annotation struct {
	Level                 string // error, warning or notice
	File                  string
	Line, EndLine, Column int
	Title, Message        string
}
