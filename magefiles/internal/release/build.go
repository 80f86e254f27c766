package release

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/lacking"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// clone is the commit that is released, on its own: neither edits nor ignored files of the work tree take part.
type clone struct {
	commit string
	head   gitrepo.Head
	repo   *gitrepo.Repo
	w      *workspace.Workspace
	tools  toolchain.Toolchain
}

// Folders below Means.Dir.
const (
	cloneDir        = "clone"
	environmentsDir = "environments" // of the toolchain: they outlast a release
	scratchDir      = "verify"
	keptDir         = "kept" // what was built, while the clone is made again
)

// Complete fetches what a clone of a repository lacks of the packages of the workspace in it, such as submodules that only
// their own address has, and refuses packages that would be built without it.
func Complete(ctx context.Context, repo, clone *gitrepo.Repo, w *workspace.Workspace) error {
	packed, named := w.Sources(w.Packages...)
	lacks, err := gitclone.Complete(ctx, repo, clone, packed, named)
	if err != nil {
		return err
	}
	return lacking.Refuse(lacks)
}

func (r *Release) environments() string { return filepath.Join(r.Dir, environmentsDir) }

// workshop is where the commit that is released is checked, built, and sent from. Each step opens it, and none leaves anything in it that
// another one needs: what is open already is used again.
type workshop struct {
	*Release
	planned given[*plan.Plan]
	commit  given[trace.Commit]

	clone   *clone            // the last one that was opened
	sending *publish.Sequence // of the clone
}

// checkout returns the clone of the commit that is released. One that is there and whole is used again.
func (r *workshop) checkout(ctx context.Context) (*clone, error) {
	commit := r.commit.Get().Hash
	if r.clone != nil && r.clone.commit == commit {
		return r.clone, nil
	}
	dir := filepath.Join(r.Dir, cloneDir)
	if err := atomicfile.MakeIgnored(r.Dir); err != nil {
		return nil, err
	}
	scratch.Spread(r.Dir)
	repo, err := r.cloneAt(ctx, dir, commit)
	if err != nil {
		return nil, err
	}
	c := &clone{commit: commit, repo: repo}
	if c.head, err = repo.Head(ctx); err != nil {
		return nil, err
	}
	if c.w, err = workspace.LoadAs(filepath.Join(dir, filepath.FromSlash(r.Repo.Prefix)), r.Name); err != nil {
		return nil, err
	}
	if wrong := r.planned.Get().Compare(c.w); wrong != "" {
		return nil, operr.New("`mage undo`", "the commit %.12s is not what is to be released: %s", commit, wrong).WithWayOn()
	}
	if err := Complete(ctx, r.Repo, repo, c.w); err != nil {
		return nil, operr.New("", "the clone that is built from, %s: %w", dir, err)
	}
	if c.tools, err = r.Tools(ctx, c.w, r.environments()); err != nil {
		return nil, err
	}
	r.clone = c
	return c, nil
}

// cloneAt returns a clone of the commit, which reads the objects of the repository. Where tasks have left something in the one that is there, or the
// repository was moved, it is made again, and what was built of that commit stays: it may be on the channel in part.
func (r *workshop) cloneAt(ctx context.Context, dir, commit string) (*gitrepo.Repo, error) {
	output, kept := filepath.Join(dir, filepath.FromSlash(r.Repo.Prefix), workspace.OutputDir), filepath.Join(r.Dir, keptDir)
	if repo, err := gitrepo.Open(ctx, r.Runner, dir); err == nil && repo.Top == dir {
		at, _, err := repo.Answer(ctx, "rev-parse", "--quiet", "--verify", "HEAD") // which is known where objects cannot be read, too
		if err == nil && at == commit {
			if changes, err := repo.Changes(ctx); err == nil && len(changes) == 0 {
				return repo, nil
			}
			if err := os.RemoveAll(kept); err != nil {
				return nil, err
			}
			_ = os.Rename(output, kept) // where nothing was built there is nothing
			defer func() {
				_ = os.Rename(kept, output) // what is lost is built again
				_ = os.RemoveAll(kept)
			}()
		}
	}
	here, err := r.Repo.Contains(ctx, commit, commit)
	if err != nil {
		return nil, err
	}
	if !here {
		p := r.planned.Get()
		if err := gitremote.Fetch(ctx, r.Repo, p.Remote, p.Tags...); err != nil {
			return nil, err
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := gitclone.Borrow(ctx, r.Repo, dir, commit); err != nil {
		return nil, err
	}
	return gitrepo.Open(ctx, r.Runner, dir)
}

// openSequence makes what takes packages of the clone to the channel. It does not compare times: what the channel has of these versions
// came of this release, or is found out by its bytes before there is a tag; and clocks of two machines differ.
func (r *workshop) openSequence(ctx context.Context) (*publish.Sequence, *clone, error) {
	c, err := r.checkout(ctx)
	if err != nil {
		return nil, nil, err
	}
	if r.sending != nil && r.sending.Workspace == c.w {
		return r.sending, c, nil
	}
	on, err := r.Channel(c.w)
	if err != nil {
		return nil, nil, err
	}
	tree, err := c.repo.Tree(ctx, c.commit)
	if err != nil {
		return nil, nil, err
	}
	r.sending = &publish.Sequence{
		Publisher: &publish.Publisher{
			Workspace: c.w,
			Channel:   on,
			Tools:     c.tools,
			Runner:    r.Runner,
			Date:      c.head.Time,
			Output:    filepath.Join(c.w.Root, workspace.OutputDir),
			Scratch:   filepath.Join(r.Dir, scratchDir),
			Origin:    publish.Origin{Commit: c.commit, Tree: tree},
			Builds:    r.Builds,
			// Byte code of what did not change since the last release is kept: compiling it takes longer than all the rest.
			Pycache:  cmp.Or(r.Pycache, filepath.Join(r.environments(), "pycache")),
			Wait:     r.Wait,
			Progress: r.Progress,
		},
		Trial: r.Trial(c.w),
	}
	return r.sending, c, nil
}

// openSources makes what packages are built from: the commit with the tags that the release makes. What tasks that check have formatted
// or made in the clone is not in them. date is that of the tags.
func (r *workshop) openSources(c *clone, date time.Time) *sources.Sources {
	s := sources.Sources{Runner: r.Runner, Workspace: c.w, Cache: r.Cache, Tell: r.Say, Waiting: r.Wait.Tell}
	seen, p := sources.TagsSeen(c.w, date), r.planned.Get()
	return s.Commit(c.repo, c.commit, func(packages ...*workspace.Package) []gitrepo.Tag {
		tags := seen(packages...)
		for i, t := range tags {
			if slices.Contains(p.Tags, t.Name) {
				tags[i].Message = p.Bump.TagMessage(t.Name)
			}
		}
		return tags
	})
}

// Checked are the tasks that passed for a commit.
type Checked struct {
	Commit string   `json:"commit"`
	Tasks  []string `json:"tasks"` // with the last line of what each said
}

func (c Checked) String() string { return strings.Join(c.Tasks, "; ") }

// defineCheck has the tasks pass that check the packages.
func (r *Release) defineCheck(planned given[*plan.Plan], commit given[trace.Commit], shop *workshop) workflow.Step[Checked] {
	return workflow.Step[Checked]{
		Name: trace.StepCheck,
		Skip: func() string { return r.skipCheck(planned.Get(), commit.Get()) },
		Check: func(_ context.Context, before *Checked) (Checked, bool, error) { // the journal's word is bound to the commit
			if before == nil || before.Commit != commit.Get().Hash {
				return Checked{}, false, nil
			}
			return *before, true, nil
		},
		Do:  func(ctx context.Context) (Checked, error) { return check(ctx, shop) },
		Say: Checked.String,
	}
}

// skipCheck says why nothing is checked.
func (r *Release) skipCheck(p *plan.Plan, commit trace.Commit) string {
	if commit.IsOut() {
		return "the tag is on " + p.Remote + " already; what is tagged was checked before"
	}
	if w, err := workspace.Load(r.Root); err == nil {
		return Unchecked(w)
	}
	return ""
}

// Unchecked says that no task checks the packages of a workspace; "" where one does.
func Unchecked(w *workspace.Workspace) string {
	if tasks, _ := tasksOf(w); len(tasks) > 0 {
		return ""
	}
	return "NOTHING IS CHECKED: the workspace has no task qa-<package>, and none for tests"
}

// NotChecked says of which packages nothing is checked, or of all of them; "" where a task checks each.
func NotChecked(w *workspace.Workspace) string {
	if nothing := Unchecked(w); nothing != "" {
		return nothing
	}
	if _, without := tasksOf(w); len(without) > 0 {
		return fmt.Sprintf("NOT CHECKED: %s, for want of a task qa-<package>, or one for tests", strings.Join(without, ", "))
	}
	return ""
}

// check runs the tasks that check the packages, one after the other: each uses all cores.
func check(ctx context.Context, shop *workshop) (Checked, error) {
	c, err := shop.checkout(ctx)
	if err != nil {
		return Checked{}, err
	}
	checked := Checked{Commit: c.commit, Tasks: []string{}}
	tasks, _ := tasksOf(c.w)
	for _, task := range tasks {
		var out tail
		if err := c.tools.Run(ctx, toolchain.Task{Dir: c.w.Root, Name: task, Stdout: &out, Stderr: &out}); err != nil {
			return checked, operr.New("correct it and commit that, and the release takes it along; or `mage undo`", "the task %s: %w", task, err).WithWayOn().WithDetail(out.text())
		}
		checked.Tasks = append(checked.Tasks, task+": "+out.last())
	}
	return checked, nil
}

// tasksOf are the tasks that check a workspace: qa of all packages or of each, or else their tests. Where some packages have neither, they
// are the tasks of the others, and without names those that have none.
func tasksOf(w *workspace.Workspace) (tasks, without []string) {
	if task := toolchain.FindTask(w.Manifest, "qa"); task != "" {
		return []string{task}, nil
	}
	lacks := false // a package has no qa
	for _, p := range w.Order() {
		task, err := toolchain.PackageTask(w, "qa", p)
		if err != nil {
			lacks = true
			task, err = toolchain.PackageTask(w, "test", p)
		}
		switch {
		case err != nil:
			without = append(without, p.Name)
		case !slices.Contains(tasks, task):
			tasks = append(tasks, task)
		}
	}
	if tests, err := toolchain.TestTasks(w); lacks && err == nil {
		return tests, nil
	}
	return tasks, without
}

// Artifacts are the artifacts of this machine.
type Artifacts struct {
	Commit    string           `json:"commit"`
	Artifacts []publish.Digest `json:"artifacts"`       // dependencies first
	Tagged    time.Time        `json:"tagged,omitzero"` // the date of the tags that the builds saw, and that are made then
}

func (b Artifacts) String() string {
	var files []string
	for _, a := range b.Artifacts {
		files = append(files, a.File+" "+columns.Digest(a.SHA256))
	}
	if files == nil {
		return "nothing is missing on the channel"
	}
	return strings.Join(files, ", ") + b.by()
}

// by names the tools that built the artifacts, for the end of a sentence.
func (b Artifacts) by() string {
	var all []string
	for _, a := range b.Artifacts {
		if a.Tools != "" && !slices.Contains(all, a.Tools) {
			all = append(all, a.Tools)
		}
	}
	if all == nil {
		return ""
	}
	return "; built by " + strings.Join(all, "; and by ")
}

// defineBuild builds what is published from here, or what a CI is held against.
func (r *Release) defineBuild(planned given[*plan.Plan], commit given[trace.Commit], shop *workshop) workflow.Step[Artifacts] {
	return workflow.Step[Artifacts]{
		Name: trace.StepBuild,
		Skip: func() string { return r.skipBuild(planned.Get(), commit.Get()) },
		Check: func(ctx context.Context, before *Artifacts) (Artifacts, bool, error) {
			return isBuilt(ctx, commit.Get(), shop, before)
		},
		Do:  func(ctx context.Context) (Artifacts, error) { return build(ctx, planned.Get(), commit.Get(), shop) },
		Say: Artifacts.String,
	}
}

// skipBuild says why nothing is built: what a CI has built, or builds, is what is published.
func (r *Release) skipBuild(p *plan.Plan, commit trace.Commit) string {
	if commit.IsOut() && r.By(p) == settings.PublishCI {
		return "the tag is on " + p.Remote + " already, and CI builds what is published"
	}
	return ""
}

// isBuilt compares the files with what was recorded of them.
func isBuilt(ctx context.Context, commit trace.Commit, shop *workshop, before *Artifacts) (Artifacts, bool, error) {
	if before == nil || before.Commit != commit.Hash {
		return Artifacts{}, false, nil
	}
	if _, err := shop.artifacts(ctx, *before); err != nil {
		return Artifacts{}, false, context.Cause(ctx) // it is built again
	}
	return *before, true, nil
}

// artifacts are the files that were built, each compared with its manifest and with what was recorded of it.
func (r *workshop) artifacts(ctx context.Context, built Artifacts) (publish.Artifacts, error) {
	s, c, err := r.openSequence(ctx)
	if err != nil {
		return nil, err
	}
	all := publish.Artifacts{}
	for _, a := range built.Artifacts {
		pkg, err := c.w.Package(a.Package)
		if err != nil {
			return nil, err
		}
		found, err := toolchain.Check(c.w, pkg, filepath.Join(s.Output, a.File))
		if err != nil {
			return nil, err
		}
		if found.SHA256 != a.SHA256 {
			return nil, operr.New("run it again: it is built again", "%s is not what was built: its sha256 is %.12s, and was %.12s", found.Path, found.SHA256, a.SHA256)
		}
		all[a.Package] = found
	}
	return all, nil
}

// build builds every package that is released, and those that the channel lacks, or, where the tag is out, only the latter; and
// compares them with what the channel has, so that a conflict is known before there is a tag. A package that has a version of its
// own, and keeps it, stays as it was published: built of a later commit it would have another time, and so other bytes.
func build(ctx context.Context, p *plan.Plan, commit trace.Commit, shop *workshop) (Artifacts, error) {
	tagged := time.Now().UTC().Truncate(time.Second)
	s, c, err := shop.openSequence(ctx)
	if err != nil {
		return Artifacts{}, err
	}
	s.From = shop.openSources(c, tagged)
	ready, _, err := s.Ready(ctx)
	if err != nil {
		ready = publish.Artifacts{} // what cannot be published is built again
	}
	if err := s.Look(ctx, ready); err != nil {
		return Artifacts{}, err
	}
	missing := s.Missing
	if !commit.IsOut() {
		missing, s.Artifacts = slices.DeleteFunc(c.w.Order(), func(pkg *workspace.Package) bool {
			return !p.Releases(pkg.Name) && len(s.Holdings.Of(pkg.Name, pkg.Version.Text)) > 0
		}), publish.Artifacts{}
	}
	var log tail
	s.Log = &log
	if err := s.Build(ctx, missing, s.Artifacts); err != nil {
		return Artifacts{}, withDetail(err, log.text())
	}
	if err := s.Decide(ctx); err != nil {
		return Artifacts{}, raise(err, commit)
	}
	return takeDown(ctx, s, c, tagged)
}

// takeDown takes down what was built, and by what. tagged is the date of the tags that the builds saw.
func takeDown(ctx context.Context, s *publish.Sequence, c *clone, tagged time.Time) (Artifacts, error) {
	built := Artifacts{Commit: c.commit, Tagged: tagged}
	var all []toolchain.Artifact
	for _, pkg := range c.w.Order() {
		if a, ok := s.Artifacts[pkg.Name]; ok {
			all = append(all, a)
		}
	}
	d, err := s.Digests(ctx, "", all...)
	if len(d.Files) > 0 {
		built.Artifacts = d.Files
	}
	return built, err
}

// raise says of a version that the channel has otherwise how to come to a higher one: not by a commit below which the release
// goes on, since it is of the versions that were agreed to.
func raise(err error, commit trace.Commit) error {
	if !errors.Is(err, channel.ErrExists) || commit.IsOut() {
		return err
	}
	return operr.New("`mage undo`, and release a higher version, with -only=NAME of that package where it has one of its own: published bytes are not replaced; nothing was sent", "%w", err).WithWayOn()
}

// withDetail adds the last lines of a child, unless the error has some.
func withDetail(err error, text string) error {
	if text == "" || operr.DetailOf(err) != "" {
		return err
	}
	return operr.New("", "%w", err).WithDetail(text)
}

// tail keeps the end of what a child prints.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const kept = 16 << 10 // bytes: some hundred lines

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - kept; over > 0 {
		t.buf = bytes.Clone(t.buf[over:])
	}
	return len(p), nil
}

// last is the last line that says something, without the ornaments that test runners put around it.
func (t *tail) last() string {
	lines := t.lines()
	for i := len(lines) - 1; i >= 0; i-- {
		if line := strings.Trim(lines[i], "= \t\r"); line != "" {
			return line
		}
	}
	return "no output"
}

// text is the last lines, for an error.
func (t *tail) text() string {
	lines := t.lines()
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Split(strings.TrimRight(string(t.buf), "\n"), "\n")
}
