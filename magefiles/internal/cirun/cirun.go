// Package cirun runs a workflow file of the repository on this machine, from the commit that is checked out, or from a tag or branch. It uses
// separate folders and stand-in values for secrets, and does not expose the user's files or settings to jobs. Pushes of jobs go to a copy of the
// repository.
//
//	cirun.go    a run, from the flags to its end
//	event.go    the event that starts the run
//	grant.go    stand-ins for what GitHub provides to jobs: ID tokens, approvals, variables
//	show.go     prints the result
//	needs.go    lists what a file needs, without running it
package cirun

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/machine"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/standin"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/verdict"
	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Config holds the environment of a run.
type Config struct {
	Runner  command.Runner
	Environ []string // environment of this process, of which jobs get only a part (machine.Environ)
	Dir     string   // the user's current folder, inside the repository
	View    *view.View
}

// Flags holds the command-line flags. All but File may be "".
type Flags struct {
	File            string // in .github/workflows, with or without that folder
	Event, Ref, Job string
	Inputs          string // JSON: {"name": value}
	Payload         string // path of a JSON file with the event payload
	Fork            bool
	What            bool // the user wants Look, which runs nothing
}

// workflows is the folder of the workflow files.
const workflows = ".github/workflows"

// `open` reads the file from its commit. The caller must call remove on the run.
func (c Config) open(ctx context.Context, f Flags) (*run, gitrepo.Head, *file.Workflow, error) {
	repo, err := gitrepo.Open(ctx, c.Runner, c.Dir)
	if err != nil {
		return nil, gitrepo.Head{}, nil, err
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return nil, head, nil, err
	}
	if err := c.goTo(ctx, repo, &head, f); err != nil {
		return nil, head, nil, err
	}
	dir, remove, err := scratch.Make("", "ci-run-")
	if err != nil {
		return nil, head, nil, err
	}
	r := &run{
		Config: c,
		repo:   repo,
		dir:    dir,
		files:  os.DirFS(filepath.Join(dir, "files")),
		remove: func() { _ = remove() }, // if files remain, the next run removes them
	}
	var w *file.Workflow
	if err = gitclone.Export(ctx, repo, head.Commit, ".github", filepath.Join(dir, "files")); err == nil {
		w, err = read(r.files, f.File)
	}
	if err != nil {
		r.remove()
	}
	return r, head, w, err
}

// Run runs a file, and prints the result. If a job failed, the error names it.
func Run(ctx context.Context, c Config, f Flags) error {
	r, head, w, err := c.open(ctx, f)
	if err != nil {
		return err
	}
	defer r.remove()
	repo := r.repo
	e, err := c.event(ctx, repo, head, w, f)
	if err != nil {
		return err
	}
	if tag, is := strings.CutPrefix(e.Ref, "refs/tags/"); is && e.Name == "push" {
		if starts, why := w.StartsForTag(tag); !starts {
			return operr.NewUsage("pass another -ref, or change the filters of `on:` in the workflow file", "GitHub would not start this workflow: %s", why)
		}
	}
	if err := c.copyRepository(ctx, repo, r.remote(), head.Commit, e.Ref); err != nil {
		return err
	}
	secrets := "a stand-in for each secret"
	if e.Fork {
		secrets = "no secrets, because the event comes from a fork"
	}
	c.View.Say("running %s at %s, for %s of %s, with programs of this machine and %s", w.File, head.Short(), e.Name, e.Ref, secrets)
	if e.Name == "push" && w.StartsFor("push") {
		// Path filters are ignored for this many commits, because the files that such a push changes are unknown.
		if starts, why := w.Starts(file.Occurrence{Event: e.Name, Ref: e.Ref, Changed: file.Changed{Commits: math.MaxInt}}); !starts {
			c.View.Say("○ GitHub would not start this workflow for this event: %s", why)
		}
	}
	for _, err := range w.UnknownPins() {
		c.View.Say("○ %v", err)
	}
	given := &grants{
		view:       c.View,
		repository: repository(ctx, repo),
	}
	defer given.end()
	told, err := r.config(w, e, given)
	if err != nil {
		return err
	}
	result, err := runner.New(told).Run(ctx, w, e, f.Job)
	if err != nil {
		return explain(err)
	}
	show(c.View, result)
	return verdict.Of(result)
}

// run is a run of one file.
type run struct {
	Config

	repo  *gitrepo.Repo
	dir   string // folder used only by this run
	files fs.FS  // files in the commit

	remove func() // removes the folder
}

// remote returns the folder of the repository from which jobs fetch and to which they push.
func (r *run) remote() string { return filepath.Join(r.dir, "remote.git") }

// config returns the runner configuration for a file.
func (r *run) config(w *file.Workflow, e runner.Event, given *grants) (runner.Config, error) {
	secrets, environments, err := machine.Secrets(r.files)
	if err != nil {
		return runner.Config{}, err
	}
	variables := machine.Variables(r.files, w)
	given.tellVariables(variables)
	environ := machine.Environ
	if e.Fork {
		environ = machine.EnvironOfFork
	}
	var one sync.Mutex
	return runner.Config{
		Runner:     r.Runner,
		Environ:    environ(r.Environ),
		Installed:  machine.Path(r.Environ),
		Dir:        filepath.Join(r.dir, "jobs"),
		Files:      r.files,
		Remote:     r.remote(),
		Repository: given.repository,
		Variables:  variables,
		IDToken:    given.idToken,
		Approve:    given.approve,
		Secrets:    secrets,
		Actions:    r.standIns(),

		EnvironmentSecrets: environments,

		Image:      (&machine.Images{Dir: filepath.Join(r.dir, "images"), Ours: r.Environ}).Find,
		Submodules: func(ctx context.Context, dir string) error { return gitclone.Fill(ctx, r.repo, dir) },
		Python:     func(version string) string { return machine.Python(r.Environ, version) },
		Token:      func(runner.Asked) (string, error) { return machine.StandInValue("GITHUB_TOKEN"), nil },
		AppToken:   func(map[string]string) (string, error) { return machine.StandInValue("APP_TOKEN"), nil },
		Log: func(leg, line string) {
			one.Lock()
			defer one.Unlock()
			r.View.Say("%s │ %s", leg, view.Plain(line))
		},
	}, nil
}

// standIns returns the stand-ins for actions, including those in the manifest if it exists and can be read.
func (c Config) standIns() map[string]runner.StandIn {
	w, err := workspace.Load(c.Dir)
	if err != nil {
		return standin.All
	}
	return standin.With(w.Config.Actions)
}

// explain adds a next step to problems of a file that have none. A wrong input is not an error in the file.
func explain(err error) error {
	var of *file.Problem
	if errors.As(err, &of) && operr.NextOf(err) == "" {
		if !file.IsWrong(err) {
			return operr.New("GitHub can run this file, but this program cannot. Pass -what to see which parts cannot run here. You can run another file, or run the `mage` commands of this file's jobs yourself", "%w", err)
		}
		return operr.New("correct the file and commit it, because only the committed file is run", "%w", err)
	}
	return err
}

// read reads the file that the user named.
func read(files fs.FS, name string) (*file.Workflow, error) {
	name = path.Clean(filepath.ToSlash(name))
	if !strings.Contains(name, "/") {
		name = path.Join(workflows, name)
	}
	data, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		all, _ := fs.Glob(files, workflows+"/*.y*ml") // the pattern is valid
		return nil, operr.NewUsage("name one of the committed workflow files: "+strings.Join(all, ", "), "there is no workflow file %s in the commit", name)
	}
	if err != nil {
		return nil, err
	}
	w, err := file.Read(name, data)
	if err != nil {
		return nil, explain(err)
	}
	return w, nil
}

// copyRepository creates the repository from which jobs fetch and to which they push. It has all branches and tags, and the commit under the event's
// ref.
func (c Config) copyRepository(ctx context.Context, repo *gitrepo.Repo, remote, commit, ref string) error {
	clean, _ := command.Withhold(c.Environ)
	clean = command.Setenv(clean, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	git := func(dir string, args ...string) (string, error) {
		return command.Output(ctx, c.Runner, command.Cmd{
			Name: "git",
			Args: args,
			Dir:  dir,
			Env:  clean,
		})
	}
	format, err := git(repo.Top, "rev-parse", "--show-object-format")
	if err != nil {
		return err
	}
	if _, err := git(repo.Top, "init", "--quiet", "--bare", "--template=", "--object-format="+format, remote); err != nil {
		return err
	}
	fetch := []string{"fetch", "--quiet", "--no-tags", "--update-shallow", "--no-auto-maintenance", "--no-write-fetch-head", "--", repo.Top}
	if _, err := git(remote, append(fetch, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")...); err != nil {
		return err
	}
	_, err = git(remote, append(fetch, "+"+commit+":"+ref)...)
	return err
}

// repository returns the repository's GitHub name, derived from its remote, or a name under "nobody" if there is no remote.
func repository(ctx context.Context, repo *gitrepo.Repo) string {
	address, err := gitremote.URL(ctx, repo, "origin")
	if err == nil {
		if name, _, ok := github.RepositoryOf(address); ok {
			return name
		}
	}
	return "nobody/" + filepath.Base(repo.Top)
}
