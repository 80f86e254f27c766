// Package rehearsal tries out the release of a commit in an embedded world. Nothing is sent outside this machine. The report lists the parts that
// could not be rehearsed, with the reason.
//
// The release is not simulated: a separate process runs the real target `release`, in a clone of the commit. The clone's remote is a bare git
// repository, and the process's environment points to an embedded prefix.dev and GitHub (world.go). When the tag is pushed, an embedded CI runs
// release.yml. Then the downstreams are upgraded. With -full, the upgrade is also pushed, and all workflows that this push triggers are run.
//
//	rehearsal.go   the steps around the release
//	bypull.go      the pull request, if releases land by one
//	begin.go       the initial state, and early errors; package earlier builds the artifacts of earlier releases
//	world.go       the embedded world; start.go starts the one of a rehearsal
//	ci.go          the world's CI
//	runfile.go     runs release.yml with package workflows, and reports its runs
//	clone.go       the clone in which the release is made
//	person.go      the user's git settings and hooks, for the clone
//	child.go       the processes; with faults they are killed and restarted
//	outcome.go     the results of the release; page.go renders them as HTML, with a head and logs from package about
//	full.go        the push of the upgraded downstreams, and the workflows that it triggers, with a registry from package images
//	deliver.go     the delivery to hosts that stand in for the manifest's hosts, with package fleet
//	flags.go       command-line flags; show.go prints the results
//
// Package folder manages the folder for all these files. Package gitsettings selects the user's git settings, and runs git.
package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/about"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/earlier"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/folder"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/images"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Config holds the environment and the options of a rehearsal.
type Config struct {
	Runner   command.Runner
	Environ  []string     // environment for child processes
	Program  string       // the compiled magefile
	Root     string       // root of the workspace to rehearse
	Name     string       // workspace name, because clones may be in folders with other names
	Dir      string       // folder for all files of the rehearsal; only the report and caches remain at the end
	Request  bump.Request // what to release; without To, a patch or the unfinished release
	Publish  string       // who publishes; "" uses the manifest's setting
	Seed     uint64       // seed for the faults; 0 disables them
	Reporter Reporter
	Out, Err view.Lines // receive the output of the release

	// History returns a repository's history for a bump, as in a real release.
	History func(*gitrepo.Repo) bump.History
	// Tools picks a workspace's toolchain. The toolchain's environments are below a folder.
	Tools func(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error)

	// Builder builds images. If it is nil, neither the push of the upgrade nor the runs that the push triggers are rehearsed.
	Builder *buildx.Builder
	// Registry starts an image registry in a folder, behind a guard; `end` stops it. It must be set if Builder is.
	Registry images.Registry

	// Hosts starts hosts for a clone's deployment environments, in a folder of the rehearsal. If there are no hosts, `why` has the reason. Hosts is
	// nil if this program cannot deploy.
	Hosts func(w *workspace.Workspace, dir string) (hosts fleet.Hosts, why string, err error)

	// Keep is called at the end, while the world is still running. If nil, the world is stopped immediately.
	Keep func(ctx context.Context, report Report, w *World, clone string) error
}

// Reporter shows the steps to the user.
type Reporter interface {
	// Step runs f, then shows its name, its duration and the evidence that it returned.
	Step(name string, f func() (evidence string, err error)) error
	// Heading prints a highlighted line.
	Heading(format string, args ...any)
}

// Report holds the results of a rehearsal.
type Report struct {
	Workspace string              `json:"workspace"`
	Commit    string              `json:"commit"`  // the rehearsed commit
	Release   string              `json:"release"` // tag of the release, or its tags
	Released  string              `json:"released,omitempty"`
	Packages  []publish.Published `json:"packages"`
	Steps     []StepReport        `json:"steps"`
	Kills     int                 `json:"kills,omitempty"`
	Runs      int                 `json:"runs,omitempty"` // number of release processes, including those that were killed or failed
	Jobs      []Job               `json:"jobs"`
	Fleet     []fleet.Stay        `json:"fleet,omitempty"`  // the images that responded on each host, and when
	Doubts    []string            `json:"doubts,omitempty"` // likely mistakes in workflow files that GitHub ignores silently, with file and line
	Missing   []Missing           `json:"not_rehearsed"`
	ByPull    bool                `json:"by_pull,omitempty"` // the release landed by a pull request
	Error     string              `json:"error,omitempty"`
	About     about.About         `json:"about"`

	page    string       // path of the report, if Show should name it
	asked   bump.Request // the arguments for a real release, including who publishes if a flag sets it
	publish string
	noCI    forge.NoCI // what the repository lacks, so that a release would wait for a CI in vain
}

// StepReport is one step of the rehearsal, or of the release in it.
type StepReport struct {
	Name     string        `json:"name"`
	Of       string        `json:"of"` // "rehearsal" or "release"
	Event    string        `json:"event"`
	Began    time.Time     `json:"began"`
	Took     time.Duration `json:"took_ns"`
	Evidence string        `json:"evidence"`
	Log      string        `json:"log,omitempty"` // output during the step, truncated to the end if it is long
}

// Missing is a part of a real release that was not rehearsed.
type Missing struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// run is one rehearsal. Each step sets fields that later steps read.
type run struct {
	Config
	report Report
	source *gitrepo.Repo
	head   gitrepo.Head
	w      *workspace.Workspace // the workspace at the commit
	world  *World
	clone  string // top of the clone in which the release is made
	root   string // root of the workspace in the clone

	chosen     bool              // whether the user has chosen what to release
	branch     string            // the branch that the release is made from
	remoteTags map[string]string // initial tags of the remote, with their commits
	unfinished *trace.Past       // the real release to continue; nil if there is none
	landed     *trace.Landed     // versions that have landed but are not tagged, unless another release was requested; nil if there are none
	made       []earlier.Release // earlier releases on the channel
	said       about.Log         // the output of the release
	further    []string          // additional environment variables for the processes in the clone
	left       []Missing         // parts that workflow runs left out, as listed in the report
}

// Run rehearses the commit. Even if it returns an error, the report describes what was done.
func Run(ctx context.Context, c Config) (Report, error) {
	// Byte code goes to separate folders of the rehearsal. If it were disabled, each Python process of the rehearsal would compile all its imports.
	c.Environ = command.Unset(c.Environ, "PYTHONDONTWRITEBYTECODE")
	r := &run{Config: c}
	r.report = Report{Packages: []publish.Published{}, Steps: []StepReport{}, Jobs: []Job{}, Missing: []Missing{}}
	unlock, err := folder.Lock(c.Dir)
	if err != nil {
		return r.report, err
	}
	defer unlock()
	if err := errors.Join(folder.Sweep(c.Dir), os.Mkdir(filepath.Join(c.Dir, folder.Temporary), 0o755)); err != nil {
		return r.report, err
	}
	scratch.Spread(filepath.Join(c.Dir, folder.Temporary))
	defer func() { _ = folder.Sweep(c.Dir) }() // if this run is killed, the next one sweeps the folder
	defer func() { r.world.Close() }()
	began := time.Now()
	err = r.steps(ctx)
	r.report.asked, r.report.publish = r.Request, r.Publish
	if r.unfinished != nil {
		r.report.asked.To = ""
	}
	r.report.About.End(began, r.report.asked.To)
	if cause := context.Cause(ctx); cause != nil {
		return r.report, cause
	}
	if err != nil {
		r.report.Error = fmt.Sprintf("%+v", err)
	}
	return r.report, err
}

func (r *run) steps(ctx context.Context) error {
	if err := r.step("clone the commit", func() (string, error) { return r.checkout(ctx) }); err != nil {
		return err
	}
	if last := r.lastReleases(); len(last) > 0 {
		err := r.step("what was released", func() (said string, err error) {
			r.made, said, err = r.earlier().Make(ctx, last)
			return said, err
		})
		if err != nil {
			return err
		}
	}
	if err := r.step("start the world", func() (string, error) { return r.start(ctx) }); err != nil {
		return err
	}
	if err := r.release(ctx); err != nil {
		return err
	}
	if err := r.step("upgrade the downstreams", func() (string, error) { return r.upgrade(ctx) }); err != nil {
		return err
	}
	if r.Builder != nil {
		if err := r.full(ctx); err != nil {
			return err
		}
	}
	if r.Keep != nil {
		return r.Keep(ctx, r.report, r.world, r.root)
	}
	return nil
}

// step runs one step, shows it, and adds it to the report.
func (r *run) step(name string, f func() (string, error)) error {
	s := StepReport{Name: name, Of: "rehearsal", Event: string(workflow.Done), Began: time.Now().UTC()}
	err := r.Reporter.Step(name, func() (evidence string, err error) {
		s.Evidence, err = f()
		return s.Evidence, err
	})
	s.Took = time.Since(s.Began)
	if err != nil {
		s.Event, s.Evidence = string(workflow.Failed), err.Error()
	}
	r.report.Steps = append(r.report.Steps, s)
	return err
}

func (r *run) missing(what, why string) {
	r.report.Missing = append(r.report.Missing, Missing{What: what, Why: why})
}

// upgrade upgrades the downstreams' pins to the released versions.
func (r *run) upgrade(ctx context.Context) (string, error) {
	if len(r.w.Downstreams) == 0 {
		return "there is no downstream", nil
	}
	out, err := r.mage(ctx, "app:upgrade", "-yes", "-json")
	if err != nil {
		return "", err
	}
	var result bump.Result
	if err := json.Unmarshal([]byte(out), &result); err != nil || result.Plan == nil {
		return "", operr.New("", "`mage app:upgrade -json` printed no JSON: %.200q", out)
	}
	var said []string
	for _, m := range result.Plan.Packages {
		said = append(said, fmt.Sprintf("%s: %s %s → %s", m.In, m.Name, m.Old, m.New))
	}
	if said == nil {
		return "no pin to upgrade", nil
	}
	return strings.Join(said, ", "), nil
}
