// Package cirun runs one workflow file of a repository on this machine, as a person asks for it: of the commit that is checked out, or of the
// tag or branch that is asked for, in folders of its own, with stand-in values for secrets and nothing of the person's. What jobs push goes to a copy of the repository.
//
//	cirun.go    a run, from the flags to its end
//	event.go    the event that it is for
//	grant.go    what stands in for what GitHub gives jobs: ID tokens, approvals, variables
//	show.go     what a person sees of it
//	needs.go    what a file needs, without a run
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

// Config is what a run works with.
type Config struct {
	Runner  command.Runner
	Environ []string // of this process; a job gets of it what leads to the network, and no more
	Dir     string   // of the person: inside of the repository
	View    *view.View
}

// Flags are what a person asks for. All but File may be "".
type Flags struct {
	File            string // in .github/workflows, with or without that
	Event, Ref, Job string
	Inputs          string // JSON: {"name": value}
	Payload         string // a file with the event as JSON
	Fork            bool
	What            bool // nothing is run: it is said what the file needs
}

// workflows is where the files are.
const workflows = ".github/workflows"

// Run runs a file, and shows what comes of it. The error of a job that failed names it.
func Run(ctx context.Context, c Config, f Flags) error {
	repo, err := gitrepo.Open(ctx, c.Runner, c.Dir)
	if err != nil {
		return err
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return err
	}
	if err := c.goTo(ctx, repo, &head, f); err != nil {
		return err
	}
	dir, remove, err := scratch.Make("", "ci-run-")
	if err != nil {
		return err
	}
	defer remove() // what stays, the next run removes
	r := &run{
		Config: c,
		repo:   repo,
		dir:    dir,
		files:  os.DirFS(filepath.Join(dir, "files")),
	}
	if err := gitclone.Export(ctx, repo, head.Commit, ".github", filepath.Join(dir, "files")); err != nil {
		return err
	}
	w, err := read(r.files, f.File)
	if err != nil {
		return err
	}
	if f.What {
		c.tell(w, r.files)
		return nil
	}
	e, err := c.event(ctx, repo, head, w, f)
	if err != nil {
		return err
	}
	if tag, is := strings.CutPrefix(e.Ref, "refs/tags/"); is && e.Name == "push" {
		if starts, why := w.StartsForTag(tag); !starts {
			return operr.NewUsage("give another -ref, or change the file", "GitHub starts nothing: %s", why)
		}
	}
	if err := c.copyRepository(ctx, repo, r.remote(), head.Commit, e.Ref); err != nil {
		return err
	}
	secrets := "a stand-in for each secret"
	if e.Fork {
		secrets = "no secret, since it comes from a fork"
	}
	c.View.Say("%s at %s, for %s of %s: with programs of this machine, and %s", w.File, head.Short(), e.Name, e.Ref, secrets)
	if e.Name == "push" && w.StartsFor("push") {
		// With so many commits paths are not looked at: which files such a push would bring is not known.
		if starts, why := w.Starts(file.Occurrence{Event: e.Name, Ref: e.Ref, Changed: file.Changed{Commits: math.MaxInt}}); !starts {
			c.View.Say("○ GitHub would not start it for this: %s", why)
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
	dir   string // of this run alone
	files fs.FS  // of the commit
}

// remote is the folder of the repository that jobs fetch from and push to.
func (r *run) remote() string { return filepath.Join(r.dir, "remote.git") }

// config is what the runner of a file is told.
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

		Image:      (&machine.Images{Dir: filepath.Join(r.dir, "images"), Ours: r.Environ}).Of,
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

// standIns are those for actions, with those that the manifest names, where there is one that can be read.
func (c Config) standIns() map[string]runner.StandIn {
	w, err := workspace.Load(c.Dir)
	if err != nil {
		return standin.All
	}
	return standin.With(w.Config.Actions)
}

// explain gives problems of a file a next step, where they have none: what is wrong with an input is no fault of the file.
func explain(err error) error {
	var of *file.Problem
	if errors.As(err, &of) && operr.NextOf(err) == "" {
		if !file.IsWrong(err) {
			return operr.New("nothing in the file is wrong: GitHub runs it. -what lists what of it is not run here; other files, and what such jobs do as `mage` commands, run here", "%w", err)
		}
		return operr.New("correct the file and commit it: what is run is the commit", "%w", err)
	}
	return err
}

// read reads the file that a person names.
func read(files fs.FS, name string) (*file.Workflow, error) {
	name = path.Clean(filepath.ToSlash(name))
	if !strings.Contains(name, "/") {
		name = path.Join(workflows, name)
	}
	data, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		all, _ := fs.Glob(files, workflows+"/*.y*ml") // the pattern is a possible one
		return nil, operr.NewUsage("name one that is committed: "+strings.Join(all, ", "), "there is no workflow file %s in the commit", name)
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

// copyRepository makes the repository that jobs fetch from and push to: all branches and tags, and the commit under the ref of the event.
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

// repository is what GitHub calls the repository, by its remote; one of nobody where there is none.
func repository(ctx context.Context, repo *gitrepo.Repo) string {
	address, err := gitremote.URL(ctx, repo, "origin")
	if err == nil {
		if name, _, ok := github.RepositoryOf(address); ok {
			return name
		}
	}
	return "nobody/" + filepath.Base(repo.Top)
}
