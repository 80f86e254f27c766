// Package rehearsal takes what is committed through a release in an embedded world. Nothing leaves the machine; what could
// not be rehearsed for real is named with its reason.
//
// The release is not played: it is the target `release` itself, in a process of its own, in a clone of the commit, with a
// bare git repository for a remote, and with the addresses of an embedded prefix.dev and GitHub in its environment
// (package world.go). An embedded CI publishes when the tag is pushed. Then the downstreams are upgraded.
//
//	rehearsal.go   the steps around the release
//	world.go       the embedded world
//	ci.go          its CI
//	child.go       the processes: with faults they are killed, and run again
//	dir.go         the folder
package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/faults"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Config is what a rehearsal needs of its surroundings.
type Config struct {
	Runner   command.Runner
	Environ  []string // of the processes
	Program  string   // the compiled magefile
	Root     string   // of the workspace that is rehearsed
	Dir      string   // folder for everything that the rehearsal writes; emptied at the end, but for its environments and report
	To       string   // what `release -to=` is given
	Seed     uint64   // of the faults; 0: nothing fails
	Reporter Reporter
	Out, Err io.Writer // for what the release says

	// Images builds the images of the downstreams of a clone, from the packages that a server of channels has, in a folder
	// of the rehearsal's; it shows its steps, and says why where images cannot be built here. Nil leaves images out.
	Images func(ctx context.Context, w *workspace.Workspace, server, dir string, show func(name string, f func() (string, error)) error) (why string, err error)

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
	Steps     []Step              `json:"steps"`
	Kills     int                 `json:"kills,omitempty"`
	Runs      int                 `json:"runs,omitempty"` // of the release, with those that were killed or failed
	Jobs      []Job               `json:"jobs"`
	Missing   []Missing           `json:"not_rehearsed"`
	Error     string              `json:"error,omitempty"`
}

// Step is one step of the rehearsal, or of the release in it.
type Step struct {
	Name     string        `json:"name"`
	Of       string        `json:"of"` // "rehearsal" or "release"
	Event    string        `json:"event"`
	Began    time.Time     `json:"began"`
	Took     time.Duration `json:"took_ns"`
	Evidence string        `json:"evidence"`
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
}

// Run rehearses what is committed. The report says what was done also where it ended in an error.
func Run(ctx context.Context, c Config) (Report, error) {
	r := &run{Config: c}
	r.report = Report{Packages: []publish.Published{}, Steps: []Step{}, Jobs: []Job{}, Missing: []Missing{}}
	unlock, err := lock(c.Dir)
	if err != nil {
		return r.report, err
	}
	defer unlock()
	if err := errors.Join(r.sweep(), os.Mkdir(filepath.Join(c.Dir, TemporaryDir), 0o755)); err != nil {
		return r.report, err
	}
	defer func() { _ = r.sweep() }() // what a killed run leaves, the next one sweeps
	defer func() { r.world.Close() }()
	err = r.steps(ctx)
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
	if err := r.step("start the world", func() (string, error) { return r.start(ctx) }); err != nil {
		return err
	}
	if err := r.release(ctx); err != nil {
		return err
	}
	if err := r.step("upgrade the downstreams", func() (string, error) { return r.upgrade(ctx) }); err != nil {
		return err
	}
	if r.Images != nil {
		if err := r.images(ctx); err != nil {
			return err
		}
	}
	if r.Keep != nil {
		return r.Keep(ctx, r.report, r.world, r.root)
	}
	return nil
}

// images builds the images of the downstreams as they are upgraded now.
func (r *run) images(ctx context.Context) error {
	changed, err := command.Output(ctx, r.Runner, command.Cmd{Name: "git", Args: []string{"status", "--porcelain", "--untracked-files=no"}, Dir: r.clone})
	if err == nil && changed != "" {
		err = r.Runner.Run(ctx, command.Cmd{Name: "git", Args: []string{"commit", "--quiet", "--all", "--message=chore: upgrade the downstreams"}, Dir: r.clone})
	}
	if err != nil {
		return fmt.Errorf("committing the upgrade: %w", err)
	}
	w, err := workspace.Load(r.root)
	if err != nil {
		return err
	}
	why, err := r.Images(ctx, w, r.world.Prefix.URL, filepath.Join(r.Dir, "images"), r.step)
	if why != "" {
		r.missing("images", why)
	}
	return err
}

// step shows one step, and puts it into the report.
func (r *run) step(name string, f func() (string, error)) error {
	s := Step{Name: name, Of: "rehearsal", Event: string(workflow.Done), Began: time.Now().UTC()}
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
	r.report.Missing = append(r.report.Missing, Missing{what, why})
}

// checkout reads the manifests of the commit, so that neither edits nor ignored files of the work tree take part.
func (r *run) checkout(ctx context.Context) (string, error) {
	var err error
	if r.source, err = gitrepo.Open(ctx, r.Runner, r.Root); err != nil {
		return "", err
	}
	if r.head, err = r.source.Head(ctx); err != nil {
		return "", err
	}
	changes, err := r.source.Changes(ctx)
	if err != nil {
		return "", err
	}
	if len(changes) > 0 {
		r.missing("what is not committed ("+release.Some(changes)+")", "a rehearsal starts from the commit")
	}
	r.clone = filepath.Join(r.Dir, "clone")
	if err := r.source.CloneAt(ctx, r.clone, r.head.Commit); err != nil {
		return "", err
	}
	r.root = filepath.Join(r.clone, filepath.FromSlash(r.source.Prefix))
	if r.w, err = workspace.Load(r.root); err != nil {
		return "", err
	}
	r.report.Workspace, r.report.Commit = r.w.Manifest.Name, r.head.Commit
	return fmt.Sprintf("commit %s of %s: %s, %s", r.head.Short(), r.head.Time.Format(time.DateOnly),
		operr.Count(len(r.w.Packages), "package"), operr.Count(len(r.w.Downstreams), "downstream")), nil
}

// start makes the world, and the clone one of its remote.
func (r *run) start(ctx context.Context) (string, error) {
	branch := r.w.Config.Branch
	if branch == "" {
		branch = "main"
	}
	c := WorldConfig{
		Dir: filepath.Join(r.Dir, "world"), Runner: r.Runner, Environ: r.Environ, Source: r.source, Branch: branch,
		Channel: r.w.Config.Channel, Repository: "rehearsal/" + r.w.Manifest.Name, Program: r.Program, CI: r.w.Config.Publish == workspace.PublishCI,
		Pycache: filepath.Join(r.Dir, environmentsDir, "pycache-ci"),
	}
	if r.Seed != 0 {
		c.Dice, c.Reruns = faults.New(r.Seed, faultRate), 20
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return "", err
	}
	var err error
	if r.world, err = NewWorld(ctx, c); err != nil {
		return "", err
	}
	if err := r.settle(ctx, branch); err != nil {
		return "", err
	}
	if r.Images == nil {
		r.missing("images", "-full builds them, where a builder is there")
	}
	r.missing("deployments", "a rehearsal does not reach that far yet")
	said := fmt.Sprintf("git remote, %s, GitHub's API at %s", r.world.Prefix.URL, r.world.API)
	if c.CI {
		r.missing("the workflow file "+release.Workflow, "the embedded CI calls `mage publish` itself")
		said += ", and a CI that the channel trusts"
	}
	return said, nil
}

// settle makes the clone what a person has: on the branch, in step with the remote, with a name to commit under. What is
// signed here would bear a person's signature: nothing is.
func (r *run) settle(ctx context.Context, branch string) error {
	git := func(args ...string) (string, error) {
		return command.Output(ctx, r.Runner, command.Cmd{Name: "git", Args: args, Dir: r.clone})
	}
	for _, args := range [][]string{
		{"checkout", "--quiet", "-B", branch},
		{"config", "remote." + r.w.Config.Remote + ".url", r.world.Remote},
		{"config", "remote." + r.w.Config.Remote + ".fetch", "+refs/heads/*:refs/remotes/" + r.w.Config.Remote + "/*"},
		{"config", "commit.gpgsign", "false"},
		{"config", "tag.gpgsign", "false"},
		{"fetch", "--quiet", "--prune", "--prune-tags", r.w.Config.Remote},
	} {
		if _, err := git(args...); err != nil {
			return fmt.Errorf("preparing the clone: %w", err)
		}
	}
	for _, key := range []string{"user.name", "user.email"} { // those of the repository itself are not cloned
		value, err := command.Output(ctx, r.Runner, command.Cmd{Name: "git", Args: []string{"config", "--get", key}, Dir: r.source.Top})
		if err == nil {
			_, err = git("config", key, value)
		}
		if _, unset := git("config", "--get", key); unset != nil {
			value = map[string]string{"user.name": "rehearsal", "user.email": "rehearsal@example.invalid"}[key]
			_, err = git("config", key, value)
			r.missing("committing under your name", "git has no "+key+" here: a release needs it")
		}
		if err != nil {
			return fmt.Errorf("preparing the clone: %w", err)
		}
	}
	return r.shareEnvironments()
}

// shareEnvironments lets the release find the environments of the rehearsal before, which outlast it.
func (r *run) shareEnvironments() error {
	dir, link := filepath.Join(r.Dir, environmentsDir), filepath.Join(r.root, "output", "release", "environments")
	ignore := filepath.Join(filepath.Dir(link), ignoreFile)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.MkdirAll(filepath.Dir(link), 0o755), os.WriteFile(ignore, []byte("*\n"), 0o644)); err != nil {
		return err
	}
	return os.Symlink(dir, link)
}

// release makes the release, and reads what its journal has of it.
func (r *run) release(ctx context.Context) error {
	target, err := r.target(ctx)
	if err != nil {
		return err
	}
	err = r.runRelease(ctx, target)
	past, perr := release.Last(filepath.Join(r.clone, ".git", stateName))
	if past != nil {
		r.report.Release, r.report.Released = past.Plan.Title, string(past.End)
		r.takeSteps(past)
	}
	r.report.Jobs = r.world.Jobs()
	if n := len(r.report.Jobs); err != nil && n > 0 && !r.report.Jobs[n-1].OK {
		return withDetail(err, "the CI's job said:\n"+r.report.Jobs[n-1].Log)
	}
	return errors.Join(err, perr)
}

func withDetail(err error, detail string) error { return operr.New("", "%w", err).WithDetail(detail) }

// stateName is the folder, in the git folder of a clone, that the targets keep journals in.
const stateName = "pixi-release"

// target is the version that is released: with faults it is the same in every run.
func (r *run) target(ctx context.Context) (string, error) {
	if r.Seed == 0 {
		return r.To, nil
	}
	p, err := bump.New(ctx, r.w, bump.Request{To: r.To}, nil)
	if err != nil {
		return "", err
	}
	if len(p.Tags) != 1 {
		return r.To, nil
	}
	return strings.TrimPrefix(p.Tags[0].Name, "v"), nil
}

// takeSteps puts the steps of the release into the report.
func (r *run) takeSteps(past *release.Past) {
	began := time.Time{}
	for i, rec := range past.Records {
		at := past.Times[i]
		if rec.Event == workflow.Started {
			continue
		}
		s := Step{Name: rec.Step, Of: "release", Event: string(rec.Event), Began: at.Add(-rec.Took), Took: rec.Took, Evidence: rec.Evidence}
		if rec.Event == workflow.Failed {
			s.Evidence = rec.Error
		}
		if s.Began.Before(began) {
			s.Began = began
		}
		began = at
		r.report.Steps = append(r.report.Steps, s)
		r.takeResult(rec)
	}
}

func (r *run) takeResult(rec workflow.Record) {
	var published release.Published
	var verified release.Verified
	switch {
	case rec.Step == "publish" && json.Unmarshal(rec.Result, &published) == nil && published.Items != nil:
		r.report.Packages = published.Items
	case rec.Step == "verify" && json.Unmarshal(rec.Result, &verified) == nil && strings.Contains(verified.Installed, "PyPI"):
		r.missing("a conda solve of the environment", "there is no pixi here: dependencies came from PyPI, and the artifacts' own files were linked")
	}
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
