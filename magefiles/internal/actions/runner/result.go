package runner

import (
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
)

// These are the possible conclusions of a job, a leg or a step, as GitHub spells them.
const (
	Success  = "success"
	Failure  = "failure"
	Canceled = "cancelled"
	Skipped  = "skipped"
)

// Result is the outcome of a run.
type Result struct {
	File, Event, Ref string
	Conclusion       string
	Why              string            // reason why a run was canceled before any job began
	Jobs             []*Job            // in file order; the jobs of a called workflow are in [Leg].Jobs
	Artifacts        map[string]string // the folder of each artifact, by its name
	Notes            []string          // differences from a run on GitHub
	Doubts           []error           // each is a [file.Problem]: likely mistakes that GitHub ignores silently
}

// Job is a job of a run.
type Job struct {
	Line       int    // line of the job in the file
	ID         string // the job ID, prefixed with the IDs of the calling jobs: deploy/build
	Conclusion string
	Why        string // reason for the conclusion of a job without legs
	Legs       []*Leg
	Outputs    map[string]string
}

// Leg is a job for one combination of its matrix, or a job without a matrix.
type Leg struct {
	Name        string
	Matrix      *expression.Object // nil for a job without a matrix
	Conclusion  string
	Why         string // reason for the conclusion if it is not the result of the steps
	Allowed     bool   // the job failed, but continue-on-error lets the run pass
	Environment string
	Grant       rights.Grant
	Node        file.Node // the job in its file
	Rights      file.Node // the permissions that apply to the job; the zero Node if the file has none
	Steps       []*Step
	Jobs        []*Job   // jobs of the workflow that the job calls
	Lacks       []string // programs that GitHub's machine has but this machine does not
	Summary     string   // text that the job's steps wrote to GITHUB_STEP_SUMMARY
	Began       time.Time
	Took        time.Duration
}

// Step is a step that was reached.
type Step struct {
	Name, ID    string
	Line        int
	Uses        string // "" for a step that runs a script
	StandIn     bool   // a stand-in replaced the action
	Outcome     string // result before continue-on-error
	Conclusion  string
	Annotations []Annotation
	Log         []string // the last lines, with secrets masked
	Steps       []*Step  // steps of a composite action
	Took        time.Duration
}

// Annotation is a message that GitHub shows beside a file, or beside the run.
type Annotation struct {
	Level                 string // error, warning or notice
	File                  string
	Line, EndLine, Column int
	Title, Message        string
}
