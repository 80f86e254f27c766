// Package workflows runs the workflow files that a commit of the embedded remote has, as GitHub would for a tag or a branch: whether one starts, and then by package
// actions/runner, each job with what the file grants it. A job that calls mage gets the magefile that is compiled already.
//
//	workflows.go   what stands in for GitHub's runners, and a run of one file
//	push.go        which files the push of a branch starts
//	calls.go       what calls of mage want of the jobs around them
//	grant.go       what a job is given: tokens, an approval
//	mage.go        what `go tool mage` is to a job
//	report.go      what came of a run, as a report has it; show.go: what people see of it
//	played.go      the jobs that stand for release.yml where a commit has none
package workflows

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/machine"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/standin"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/verdict"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
)

// Folder is where workflow files are, from the top of a repository.
const Folder = ".github/workflows"

// Config is what stands in for GitHub and its runners.
type Config struct {
	Runner     command.Runner
	Environ    []string // of this machine; a job gets of it what leads to the network, and caches
	Further    []string // what each job has beside: the addresses of the world
	Program    string   // the compiled magefile
	Dir        string   // for what jobs write
	Remote     string   // folder of the bare repository
	Repository string   // "owner/name"
	API        string   // URL of GitHub's
	Branch     string   // the default one
	Key        string   // what a secret is worth that a step has as PREFIX_API_KEY
	Variables  map[string]string
	StandIns   map[string]string // for actions, as `[tool.release.actions]` has them
	Secrets    map[string]string // what secrets are worth, by their names; "" is one that is not set, and one that is not here has a value that is none

	Fill    func(ctx context.Context, dir string) error                          // fills the submodules of a checkout
	Git     func(ctx context.Context, args ...string) (string, error)            // on the remote
	Grant   func(token string, rights map[string]string)                         // lets a job in by its token
	Revoke  func(token string)                                                   // ends that, and what Job gave
	Apps    func(token string, rights map[string]string)                         // lets in a GitHub App by its token
	Job     func(claims map[string]any) []string                                 // the variables by which a job gets ID tokens
	Approve func(ctx context.Context, run int64, environment string) (err error) // waits for those who have to approve
}

// CI runs workflow files; runs at the same time know each other by their concurrency groups.
type CI struct {
	Config

	mu     sync.Mutex
	runner *runner.Runner
	images *machine.Images
	values map[string]bool // of secrets that runs had
}

// remember notes the values of secrets, and IsSecret reports whether a text is one: what a job logs in with where its token is not asked for.
func (c *CI) remember(repository map[string]string, environments map[string]map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values == nil {
		c.values = map[string]bool{}
	}
	for _, of := range append(slices.Collect(maps.Values(environments)), repository) {
		for _, v := range of {
			c.values[v] = v != ""
		}
	}
}

// IsSecret is explained there.
func (c *CI) IsSecret(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.values[text]
}

// image is what the machines of all runs begin with.
func (c *CI) image() func(label string) (runner.Image, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.images == nil {
		c.images = &machine.Images{Dir: filepath.Join(c.Dir, "images"), Ours: c.Environ}
	}
	return c.images.Of
}

// Event is what starts a run.
type Event struct {
	Name    string // push or workflow_dispatch
	Tag     string // "" for a branch
	Branch  string // "" for a tag
	Before  string // the commit that the branch was at; "" where it is new
	Tags    int    // that came by the same push
	ByJob   bool   // it was pushed by a job, with its token
	Commit  string
	Run     int64 // its id on GitHub
	Attempt int
	Inputs  map[string]string // of workflow_dispatch
	Further []string          // what its jobs have in their environment beside
	Logins  map[string]string // HOST:PORT of what stands in for a registry of images, by its host

	Home func(dir string) error // puts something into the HOME of each job; nil: nothing
}

// ref is what the run is for.
func (e Event) ref() string {
	if e.Branch != "" {
		return branches + e.Branch
	}
	return tags + e.Tag
}

// Proposes reports whether a commit has a file that proposes releases by pull requests.
func (c *CI) Proposes(ctx context.Context, commit string) bool {
	text, err := c.Git(ctx, "cat-file", "blob", commit+":"+path.Join(Folder, forge.Proposing))
	return err == nil && forge.Proposes(text)
}

// Publishes reports whether a commit has a workflow file that is run here: see [Instead].
func (c *CI) Publishes(ctx context.Context, commit, name string) bool {
	return Instead(func(name string) string {
		text, err := c.Git(ctx, "cat-file", "blob", commit+":"+path.Join(Folder, name))
		if err != nil {
			return "" // it is not there
		}
		return text
	}, name) == ""
}

// Instead says why jobs that stand for a workflow file publish in a rehearsal, and not the file: it is not there, is another tool's, or starts by what a
// rehearsal does not have; "" where the file is run. read gives the text of a workflow file by its name, and "" where there is none.
func Instead(read func(name string) string, name string) string {
	text := read(name)
	switch {
	case text == "":
		return "there is no " + name + " in the commit"
	case !forge.Publishes(read, name):
		return name + " of the commit does not call `mage publish`, and is another tool's (a release needs one that does, or `publish = \"here\"` in [tool.release])"
	}
	w, err := file.Read(path.Join(Folder, name), []byte(text))
	if err != nil || w.StartsFor("push") {
		return "" // what cannot be read is told by Check
	}
	for _, e := range w.Events {
		if slices.Contains(byOthers, e.Name) {
			return name + " of the commit starts by " + e.Name + ", which is not rehearsed"
		}
	}
	return ""
}

// byOthers are events that a tag may bring, and that others bring about.
var byOthers = []string{"create", "release", "repository_dispatch", "workflow_run"}

// In reads the workflow files of a work tree, for [Instead].
func In(top fs.FS) func(name string) string {
	return func(name string) string {
		text, _ := fs.ReadFile(top, path.Join(Folder, name)) // what cannot be read says nothing
		return string(text)
	}
}

// Starts reports whether GitHub starts a workflow file for an event, and else why not.
func (c *CI) Starts(ctx context.Context, name string, e Event) (starts bool, why string, err error) {
	text, err := c.Git(ctx, "cat-file", "blob", e.Commit+":"+path.Join(Folder, name))
	if err != nil {
		return false, "", err
	}
	w, err := file.Read(path.Join(Folder, name), []byte(text))
	if err != nil {
		//lint:ignore nilerr GitHub would say it, and start nothing
		return false, "GitHub refuses the file: " + err.Error(), nil
	}
	o, err := c.occurrence(ctx, e)
	if err != nil {
		return false, "", err
	}
	starts, why = w.Starts(o)
	return starts, why, nil
}

// occurrence is an event as it decides which workflows start.
func (c *CI) occurrence(ctx context.Context, e Event) (o file.Occurrence, err error) {
	o = file.Occurrence{
		Event:      e.Name,
		Ref:        e.ref(),
		Tags:       e.Tags,
		Default:    c.Branch,
		ByJobToken: e.ByJob,
	}
	if o.Message, err = c.Git(ctx, "rev-list", "--max-count=1", "--no-commit-header", "--format=%B", "--end-of-options", e.Commit); err != nil {
		return o, err
	}
	if e.Branch == "" {
		return o, nil
	}
	changed := []string{"diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--end-of-options", e.Before, e.Commit, "--"}
	brings := e.Before + ".." + e.Commit
	if e.Before == "" { // the branch is new, and so is all that it has
		changed, brings = []string{"ls-tree", "-r", "-z", "--name-only", "--full-tree", e.Commit}, e.Commit
	}
	names, err := c.Git(ctx, changed...)
	if err != nil {
		return o, err
	}
	o.Changed.Files = strings.FieldsFunc(names, func(r rune) bool { return r == 0 })
	count, err := c.Git(ctx, "rev-list", "--count", "--end-of-options", brings, "--")
	if err == nil {
		o.Changed.Commits, err = strconv.Atoi(count)
	}
	return o, err
}

const tags, branches = "refs/tags/", "refs/heads/"

// Check is why a workflow file of a work tree cannot be run here for a tag; nil where it can, and where others are run instead.
func Check(top fs.FS, name string, standIns map[string]string) error {
	if Instead(In(top), name) != "" {
		return nil
	}
	return check(top, name, tags+"v0", standIns, operr.New(`name the tags: on: push: tags: ["v*", "*/v*"]`, "nothing would publish: %s does not start for pushes", name))
}

// CheckProposing is Check for the file that proposes releases, and a branch; nil too where there is none.
func CheckProposing(top fs.FS, branch string, standIns map[string]string) error {
	if !forge.Proposes(In(top)(forge.Proposing)) {
		return nil
	}
	return check(top, forge.Proposing, branches+branch, standIns, operr.New("name the branch: on: push: branches: ["+branch+"]", "nothing would be proposed: %s does not start for pushes", forge.Proposing))
}

// check is why a file cannot be run here for a push of a ref: unstarted, where it starts for none.
func check(top fs.FS, name, ref string, standIns map[string]string, unstarted error) error {
	data, err := fs.ReadFile(top, path.Join(Folder, name))
	if err != nil {
		return err
	}
	w, err := file.Read(path.Join(Folder, name), data)
	if err == nil && !w.StartsFor("push") {
		return unstarted
	}
	if err == nil {
		err = errors.Join(w.Faults()...)
	}
	if err == nil {
		err = runner.New(runner.Config{
			Files:   top,
			Actions: standin.With(standIns),
		}).Check(w, runner.Event{
			Name: "push",
			Ref:  ref,
		})
	}
	var problem *file.Problem
	if errors.As(err, &problem) {
		if !file.IsWrong(err) {
			return operr.New("nothing in the file is wrong: GitHub runs it. `mage rehearse -publish=here` goes without it", "%w", err)
		}
		return operr.New("correct the file and commit it: a rehearsal runs it as it stands there (`mage rehearse -publish=here` goes without it)", "%w", err)
	}
	return err
}

// secretsOf are names of secrets that the pipeline itself reads from the environment, and the one that GitHub gives.
var secretsOf = []string{"GITHUB_TOKEN", apiKey, "DEPLOY_SSH_PRIVATE_KEY", "DEPLOY_KNOWN_HOSTS"}

// Doubts are what of the workflow files of a work tree is possible, and hardly meant; tracked are the files of the commit. Each has its file and line. A file
// that cannot be read is told too: GitHub starts nothing by it.
func Doubts(top fs.FS, tracked []string) (found []string) {
	names, _ := fs.Glob(top, Folder+"/*.y*ml") // the pattern is a possible one
	for _, name := range names {
		data, err := fs.ReadFile(top, name)
		if err == nil {
			var w *file.Workflow
			if w, err = file.Read(name, data); err == nil {
				err = problemsOf(w, tracked)
			}
		}
		if err != nil {
			found = append(found, strings.Split(err.Error(), "\n")...)
		}
	}
	return found
}

// Run runs a workflow file for an event. What keeps it from running at all is in the report too.
func (c *CI) Run(ctx context.Context, name string, e Event) (report Report) {
	dir := filepath.Join(c.Dir, strconv.FormatInt(e.Run, 10)+"."+strconv.Itoa(e.Attempt))
	defer func() { _ = os.RemoveAll(dir) }() // runners are thrown away; what is left is swept
	result, err := c.run(ctx, dir, name, e)
	if err == nil {
		report = newReport(result)
		report.Artifacts, err = readArtifacts(result)
		if why := verdict.Of(result); why != nil {
			err = why
		}
	}
	report.Workflow, report.Err = name, err
	return report
}

func (c *CI) run(ctx context.Context, dir, name string, e Event) (*runner.Result, error) {
	files := filepath.Join(dir, "files")
	if err := c.export(ctx, e.Commit, files); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(files, filepath.FromSlash(Folder), name))
	if err != nil {
		return nil, err
	}
	w, err := file.Read(path.Join(Folder, name), data)
	if err != nil {
		return nil, err
	}
	secrets, environments, err := c.secrets(os.DirFS(files))
	if err != nil {
		return nil, err
	}
	c.remember(secrets, environments)
	jobs := &granting{CI: c, run: e.Run}
	defer jobs.end()
	return c.with(runner.Config{
		Runner:     c.Runner,
		Environ:    slices.Concat(machine.Environ(c.Environ), c.Further, e.Further),
		Installed:  machine.Path(c.Environ),
		Dir:        dir,
		Files:      os.DirFS(files),
		Remote:     c.Remote,
		Repository: c.Repository,
		API:        c.API,
		Registries: e.Logins,
		Variables:  c.Variables,
		Secrets:    secrets,

		EnvironmentSecrets: environments,

		Actions:    standin.With(c.StandIns),
		Token:      jobs.token,
		IDToken:    jobs.idToken,
		AppToken:   jobs.appToken,
		Ended:      c.Revoke,
		Approve:    jobs.approve,
		Submodules: c.Fill,
		Home:       e.Home,
		Image:      c.image(),
		Python:     func(version string) string { return machine.Python(c.Environ, version) },
		Script:     func(program, found string) string { return c.script(program, found, e.Branch != "") },
	}).Run(ctx, w, runner.Event{
		Name:    e.Name,
		Ref:     e.ref(),
		SHA:     e.Commit,
		Actor:   "rehearsal",
		Payload: c.payload(e),
		Run:     e.Run,
		Attempt: e.Attempt,
		Inputs:  e.Inputs,
	}, "")
}

// with is the runner of all runs, told what one of them needs.
func (c *CI) with(of runner.Config) *runner.Runner {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runner == nil {
		c.runner = runner.New(of)
	}
	return c.runner.With(of)
}

// export writes the workflow files of a commit into a folder.
func (c *CI) export(ctx context.Context, commit, dir string) error {
	names, err := c.Git(ctx, "ls-tree", "-r", "-z", "--name-only", commit, "--", Folder+"/")
	if err != nil {
		return err
	}
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == 0 }) {
		text, err := c.Git(ctx, "cat-file", "blob", commit+":"+name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, []byte(text+"\n"), 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// apiKey is the variable of a step by which packages are published.
const apiKey = "PREFIX_API_KEY"

// secrets are values for all that the files name, of the repository and of environments: those that are known, the key of the embedded channel for those that are worth one, and
// stand-ins for the others.
func (c *CI) secrets(files fs.FS) (repository map[string]string, environments map[string]map[string]string, err error) {
	repository, environments, err = machine.Secrets(files)
	if err != nil {
		return nil, nil, err
	}
	names, err := fs.Glob(files, Folder+"/*.y*ml")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, nil, err
		}
		w, err := file.Read(name, data)
		if err != nil {
			continue // GitHub runs nothing by it
		}
		for _, s := range w.Secrets() {
			if !strings.EqualFold(s.Key, apiKey) {
				continue
			}
			for _, of := range append(slices.Collect(maps.Values(environments)), repository) {
				if name := strings.ToUpper(s.Name); of[name] != "" {
					of[name] = c.Key
				}
			}
		}
	}
	maps.Copy(repository, c.Secrets)
	return repository, environments, nil
}

// payload is what a webhook would have of the event, as far as files ask for it.
func (c *CI) payload(e Event) *expression.Object {
	owner, name, _ := strings.Cut(c.Repository, "/")
	o := expression.NewObject(
		"ref", e.ref(),
		"repository", expression.NewObject("full_name", c.Repository, "name", name, "fork", false, "owner", expression.NewObject("login", owner), "default_branch", c.Branch),
		"sender", expression.NewObject("login", "rehearsal"),
	)
	if e.Name == "push" {
		o.Set("before", cmp.Or(e.Before, strings.Repeat("0", len(e.Commit))))
		o.Set("after", e.Commit)
		o.Set("created", e.Before == "")
		o.Set("deleted", false)
		o.Set("forced", false)
	}
	return o
}
