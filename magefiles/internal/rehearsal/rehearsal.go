// Package rehearsal takes what is committed through a release in an embedded world. Nothing leaves the machine; what could
// not be rehearsed for real is named with its reason.
//
// The release is not played: it is the target `release` itself, in a process of its own, in a clone of the commit, with a
// bare git repository for a remote, and with the addresses of an embedded prefix.dev and GitHub in its environment
// (world.go). When the tag is pushed an embedded CI runs release.yml. Then the downstreams are upgraded,
// and in full that is pushed, with all that it starts.
//
//	rehearsal.go   the steps around the release
//	bypull.go      the pull request, where releases land by one
//	begin.go       what it begins with, and what it refuses; what earlier releases left is made by package earlier
//	world.go       the embedded world; start.go: the one of a rehearsal
//	ci.go          its CI
//	runfile.go     release.yml, run by package workflows, and what is shown of that
//	clone.go       the clone that the release is made in
//	person.go      what the clone is given of a person's git
//	child.go       the processes: with faults they are killed, and run again
//	outcome.go     what the release did; page.go: for a browser, with a head and logs by package about
//	full.go        the push of the upgraded downstreams, and the workflow files that it starts, with a registry of package images
//	deliver.go     the delivery to hosts that stand in for those of the manifest, by package fleet
//	flags.go       what a person may ask for; show.go: what a person sees of it
//
// Package folder has the folder that all of it is in, package gitsettings what of a person's git takes part, and how git is run.
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
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Config is what a rehearsal needs of its surroundings.
type Config struct {
	Runner   command.Runner
	Environ  []string     // of the processes
	Program  string       // the compiled magefile
	Root     string       // of the workspace that is rehearsed
	Name     string       // of the workspace: its clones lie in folders of other names
	Dir      string       // folder for everything that the rehearsal writes; emptied at the end, but for its environments and report
	Request  bump.Request // what is released; without To it is a patch, or what is unfinished
	Publish  string       // who publishes, in place of the manifest's word; "" is that
	Seed     uint64       // of the faults; 0: nothing fails
	Reporter Reporter
	Out, Err view.Lines // for what the release says

	// History is what a bump reads of a repository, as a release in it does.
	History func(*gitrepo.Repo) bump.History
	// Tools picks the toolchain for a workspace; its environments lie below a folder.
	Tools func(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error)

	// Builder builds images, where it is there: the push of the upgrade and what it starts take part. Nil leaves that out, and images with it.
	Builder *buildx.Builder
	// Registry starts a registry of images in a folder, behind what guards it; end ends it. It is there where Builder is.
	Registry images.Registry

	// Hosts starts those of the deployment environments of a clone, in a folder of the rehearsal's; why there are none. Nil where this program cannot
	// deploy.
	Hosts func(w *workspace.Workspace, dir string) (hosts fleet.Hosts, why string, err error)

	// Keep is called when all is through, with the world still there; nil lets it end.
	Keep func(ctx context.Context, report Report, w *World, clone string) error
}

// Reporter shows the steps to a person.
type Reporter interface {
	// Step runs f and shows its name, its time and the evidence that it returned.
	Step(name string, f func() (evidence string, err error)) error
	// Heading writes a line that stands out.
	Heading(format string, args ...any)
}

// Report is what came of a rehearsal.
type Report struct {
	Workspace string              `json:"workspace"`
	Commit    string              `json:"commit"`  // that was rehearsed
	Release   string              `json:"release"` // its tag, or tags
	Released  string              `json:"released,omitempty"`
	Packages  []publish.Published `json:"packages"`
	Steps     []StepReport        `json:"steps"`
	Kills     int                 `json:"kills,omitempty"`
	Runs      int                 `json:"runs,omitempty"` // of the release, with those that were killed or failed
	Jobs      []Job               `json:"jobs"`
	Fleet     []fleet.Stay        `json:"fleet,omitempty"`  // which image answered on which host, and when
	Doubts    []string            `json:"doubts,omitempty"` // of workflow files, with file and line: what GitHub passes over in silence
	Missing   []Missing           `json:"not_rehearsed"`
	ByPull    bool                `json:"by_pull,omitempty"` // it landed by a pull request
	Error     string              `json:"error,omitempty"`
	About     about.About         `json:"about"`

	page string // of the report, where Show is to tell of it
}

// StepReport is one step of the rehearsal, or of the release in it.
type StepReport struct {
	Name     string        `json:"name"`
	Of       string        `json:"of"` // "rehearsal" or "release"
	Event    string        `json:"event"`
	Began    time.Time     `json:"began"`
	Took     time.Duration `json:"took_ns"`
	Evidence string        `json:"evidence"`
	Log      string        `json:"log,omitempty"` // what was said in it, of a long one the end
}

// Missing is something that a release does and this rehearsal did not.
type Missing struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// run is one rehearsal under way. Each step leaves what later ones need.
type run struct {
	Config
	report Report
	source *gitrepo.Repo
	head   gitrepo.Head
	w      *workspace.Workspace // of the commit
	world  *World
	clone  string // top of the clone that the release is made in
	root   string // of the workspace in it

	chosen     bool              // the person has said what is to be released
	branch     string            // that the release is made from
	remoteTags map[string]string // that the remote has when it begins, with their commits
	unfinished *trace.Past       // the real release that is continued; nil where there is none
	landed     *trace.Landed     // versions that have landed and are not tagged, where nothing else is asked for; nil where there are none
	made       []earlier.Release // what earlier releases left
	said       about.Log         // what the release says
	further    []string          // variables of what is run in the clone
	left       []Missing         // what runs of workflow files left out, as the report has it
}

// Run rehearses what is committed. The report says what was done also where it ended in an error.
func Run(ctx context.Context, c Config) (Report, error) {
	// Byte code goes to folders of the rehearsal's own. Where a machine keeps none, each of its Pythons would compile what it imports.
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
	defer func() { _ = folder.Sweep(c.Dir) }() // what a killed run leaves, the next one sweeps
	defer func() { r.world.Close() }()
	began := time.Now()
	err = r.steps(ctx)
	to := r.Request.To
	if r.unfinished != nil {
		to = ""
	}
	r.report.About.End(began, to)
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

// step shows one step, and puts it into the report.
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

// upgrade moves the downstreams' pins to what was released.
func (r *run) upgrade(ctx context.Context) (string, error) {
	if len(r.w.Downstreams) == 0 {
		return "there is none", nil
	}
	out, err := r.mage(ctx, "app:upgrade", "-yes", "-json")
	if err != nil {
		return "", err
	}
	var result bump.Result
	if err := json.Unmarshal([]byte(out), &result); err != nil || result.Plan == nil {
		return "", operr.New("", "app:upgrade said no JSON: %.200q", out)
	}
	var said []string
	for _, m := range result.Plan.Packages {
		said = append(said, fmt.Sprintf("%s: %s %s → %s", m.In, m.Name, m.Old, m.New))
	}
	if said == nil {
		return "nothing to move", nil
	}
	return strings.Join(said, ", "), nil
}
