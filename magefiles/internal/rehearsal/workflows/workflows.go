// Package workflows runs a commit's workflow files in the embedded remote, as GitHub would for a tag or a branch. It decides whether a file starts,
// and runs it with package actions/runner; each job gets the permissions that the file grants. Jobs that call mage use the compiled magefile.
//
//	workflows.go   the replacement for GitHub's runners, and a run of one file
//	push.go        which files a pushed branch triggers
//	calls.go       checks what calls of mage need from their jobs
//	grant.go       tokens and approvals for jobs
//	mage.go        what `go tool mage` runs in a job
//	report.go      the results of a run; show.go prints them
//	played.go      the jobs that replace release.yml if a commit has none
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

// Folder is the folder of workflow files, from the top of a repository.
const Folder = ".github/workflows"

// Config holds the replacements for GitHub and its runners.
type Config struct {
	Runner     command.Runner
	Environ    []string // environment of this machine; a job gets only its variables for the network and for caches
	Further    []string // additional variables of each job: the addresses of the world
	Program    string   // the compiled magefile
	Dir        string   // folder for the files of jobs
	Remote     string   // folder of the bare repository
	Repository string   // "owner/name"
	API        string   // URL of GitHub's API
	Branch     string   // the default one
	Key        string   // value of a secret that a step has as PREFIX_API_KEY
	Variables  map[string]string
	StandIns   map[string]string // stand-ins for actions, as in `[tool.release.actions]`
	Secrets    map[string]string // values of secrets, by name; "" means that a secret is not set; other secrets get stand-in values

	Fill    func(ctx context.Context, dir string) error                          // fills the submodules of a checkout
	Git     func(ctx context.Context, args ...string) (string, error)            // runs git on the remote
	Grant   func(token string, rights map[string]string)                         // makes the servers accept a job's token
	Revoke  func(token string)                                                   // revokes the tokens from Grant, Job and Apps
	Apps    func(token string, rights map[string]string)                         // makes the servers accept a GitHub App's token
	Job     func(claims map[string]any) []string                                 // returns the variables with which a job gets ID tokens
	Approve func(ctx context.Context, run int64, environment string) (err error) // waits until the reviewers approve
}

// CI runs workflow files. Parallel runs respect each other's concurrency groups.
type CI struct {
	Config

	mu     sync.Mutex
	runner *runner.Runner
	images *machine.Images
	values map[string]bool // values of the secrets of all runs
}

// remember records the values of secrets, for [CI.IsSecret].
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

// IsSecret reports whether a text is the value of a secret in any run. Jobs use such values for registries that do not accept their tokens.
func (c *CI) IsSecret(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.values[text]
}

// image returns the initial image of the machines of all runs.
func (c *CI) image() func(label string) (runner.Image, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.images == nil {
		c.images = &machine.Images{Dir: filepath.Join(c.Dir, "images"), Ours: c.Environ}
	}
	return c.images.Find
}

// Event starts a run.
type Event struct {
	Name    string // push or workflow_dispatch
	Tag     string // "" for a branch
	Branch  string // "" for a tag
	Before  string // the branch's commit before the push; "" if the branch is new
	Tags    int    // number of tags in the same push
	ByJob   bool   // number of tags in the same push
	Commit  string
	Run     int64 // id of the run on GitHub
	Attempt int
	Inputs  map[string]string // inputs of workflow_dispatch
	Further []string          // additional variables of its jobs
	Logins  map[string]string // HOST:PORT of the replacement for a registry of images, by the registry's host

	Home func(dir string) error // adds files to the HOME of each job; nil: none
}

// ref returns the ref that the run is for.
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
	return ExplainInstead(func(name string) string {
		text, err := c.Git(ctx, "cat-file", "blob", commit+":"+path.Join(Folder, name))
		if err != nil {
			return "" // the file is absent
		}
		return text
	}, name) == ""
}

// ExplainInstead returns why built-in jobs publish in a rehearsal instead of a workflow file: the file is absent, belongs to another tool, or starts
// by an event that a rehearsal does not have; "" if the file is run. `read` returns the text of a workflow file by its name, or "".
func ExplainInstead(read func(name string) string, name string) string {
	text := read(name)
	switch {
	case text == "":
		return "there is no " + name + " in the commit"
	case !forge.Publishes(read, name):
		return name + " of the commit does not call `mage publish` (a release needs a workflow that calls it, or `publish = \"here\"` in [tool.release])"
	}
	w, err := file.Read(path.Join(Folder, name), []byte(text))
	if err != nil || w.StartsFor("push") {
		return "" // Check reports a file that cannot be read
	}
	for _, e := range w.Events {
		if slices.Contains(byOthers, e.Name) {
			return name + " of the commit starts for the event " + e.Name + ", which cannot be rehearsed"
		}
	}
	return ""
}

// byOthers lists events other than a push that a tag may lead to.
var byOthers = []string{"create", "release", "repository_dispatch", "workflow_run"}

// FileReader reads the workflow files of a work tree, for [Instead].
func FileReader(top fs.FS) func(name string) string {
	return func(name string) string {
		text, _ := fs.ReadFile(top, path.Join(Folder, name)) // an unreadable file counts as absent
		return string(text)
	}
}

// Starts reports whether GitHub starts a workflow file for an event, and if not, why.
func (c *CI) Starts(ctx context.Context, name string, e Event) (starts bool, why string, err error) {
	text, err := c.Git(ctx, "cat-file", "blob", e.Commit+":"+path.Join(Folder, name))
	if err != nil {
		return false, "", err
	}
	w, err := file.Read(path.Join(Folder, name), []byte(text))
	if err != nil {
		//lint:ignore nilerr GitHub would report this error, and start nothing
		return false, "GitHub refuses the file: " + err.Error(), nil
	}
	o, err := c.occurrence(ctx, e)
	if err != nil {
		return false, "", err
	}
	starts, why = w.Starts(o)
	return starts, why, nil
}

// occurrence returns the facts of an event that decide which workflows start.
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
	if e.Before == "" { // the branch is new, and so are all its files and commits
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

// Check returns why a workflow file of a work tree cannot be run here for a tag; nil if it can, or if other jobs run instead.
func Check(top fs.FS, name string, standIns map[string]string) error {
	if ExplainInstead(FileReader(top), name) != "" {
		return nil
	}
	return check(top, name, tags+"v0", standIns, operr.New(`add tags: ["v*", "*/v*"] to the push event of the workflow file`, "the release would not be published, because %s does not start for pushes", name))
}

// CheckProposing is like Check, for a branch and the file that proposes releases. Without such a file, it returns nil.
func CheckProposing(top fs.FS, branch string, standIns map[string]string) error {
	if !forge.Proposes(FileReader(top)(forge.Proposing)) {
		return nil
	}
	return check(top, forge.Proposing, branches+branch, standIns, operr.New("add branches: ["+branch+"] to the push event of the workflow file", "no release would be proposed, because %s does not start for pushes", forge.Proposing))
}

// check returns why a file cannot be run here for a push of a ref. If no push starts the file, it returns the error `unstarted`.
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
			return operr.New("GitHub can run this file, but a rehearsal cannot; rehearse without the file: `mage rehearse -publish=here`", "%w", err)
		}
		return operr.New("correct the file and commit the change, because a rehearsal runs the committed file; or rehearse without the file: `mage rehearse -publish=here`", "%w", err)
	}
	return err
}

// secretsOf lists secrets that the pipeline itself reads from the environment, and the one that GitHub provides.
var secretsOf = []string{"GITHUB_TOKEN", apiKey, "DEPLOY_SSH_PRIVATE_KEY", "DEPLOY_KNOWN_HOSTS"}

// Doubts returns doubts about the workflow files of a work tree: valid lines that are probably mistakes, each with file and line. `tracked` lists the
// files of the commit. Unreadable files are included, because GitHub does not run them.
func Doubts(top fs.FS, tracked []string) (found []string) {
	names, _ := fs.Glob(top, Folder+"/*.y*ml") // the pattern is valid
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

// Run runs a workflow file for an event. The report also says if anything prevents the file from running.
func (c *CI) Run(ctx context.Context, name string, e Event) (report Report) {
	dir := filepath.Join(c.Dir, strconv.FormatInt(e.Run, 10)+"."+strconv.Itoa(e.Attempt))
	defer func() { _ = os.RemoveAll(dir) }() // GitHub also discards runners; leftover files are swept
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

// `with` returns the runner of all runs, with the configuration of one of them.
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

// apiKey is the variable of a step that lets it publish packages.
const apiKey = "PREFIX_API_KEY"

// secrets returns a value for each secret in the files, of the repository and of environments: a known value, the key of the embedded channel if a
// step uses the secret as PREFIX_API_KEY, or a stand-in.
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
			continue // GitHub does not run this file
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

// payload returns the part of the event's webhook payload that workflow files use.
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
