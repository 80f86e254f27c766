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

// clone is a separate clone of the release commit, so uncommitted edits and ignored files of the work tree do not affect the packages.
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
	environmentsDir = "environments" // toolchain environments, reused by later releases
	scratchDir      = "verify"
	keptDir         = "kept" // holds built files while the clone is replaced
)

// Complete fetches parts that the workspace's packages need and that a clone lacks, such as submodules. It returns an error if a package would be
// built without them.
func Complete(ctx context.Context, repo, clone *gitrepo.Repo, w *workspace.Workspace) error {
	packed, named := w.Sources(w.Packages...)
	lacks, err := gitclone.Complete(ctx, repo, clone, packed, named)
	if err != nil {
		return err
	}
	return lacking.Refuse(lacks)
}

func (r *Release) environments() string { return filepath.Join(r.Dir, environmentsDir) }

// workshop holds the clone in which the commit is checked and built, and from which packages are uploaded. It is only a cache: each step opens the
// clone if it is not open yet, and no step depends on another one having done so.
type workshop struct {
	*Release
	planned given[*plan.Plan]
	commit  given[trace.Commit]

	clone   *clone            // the last opened clone
	sending *publish.Sequence // upload sequence for that clone
}

// checkout returns a clone of the release commit. It reuses an existing clone if that is complete and unchanged.
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
		return nil, operr.New("run `mage undo`", "the manifests in the commit %.12s do not have the versions of the release: %s", commit, wrong).WithWayOn()
	}
	if err := Complete(ctx, r.Repo, repo, c.w); err != nil {
		return nil, operr.New("", "the packages are built from the clone in %s, which cannot be used: %w", dir, err)
	}
	if c.tools, err = r.Tools(ctx, c.w, r.environments()); err != nil {
		return nil, err
	}
	r.clone = c
	return c, nil
}

// cloneAt returns a clone of the commit that borrows its objects from the repository. It replaces an existing clone if tasks have changed files in it
// or the repository was moved. Artifacts that were built from this commit are kept, because some may already be on the channel.
func (r *workshop) cloneAt(ctx context.Context, dir, commit string) (*gitrepo.Repo, error) {
	output, kept := filepath.Join(dir, filepath.FromSlash(r.Repo.Prefix), workspace.OutputDir), filepath.Join(r.Dir, keptDir)
	if repo, err := gitrepo.Open(ctx, r.Runner, dir); err == nil && repo.Top == dir {
		at, _, err := repo.Answer(ctx, "rev-parse", "--quiet", "--verify", "HEAD") // works even if objects cannot be read
		if err == nil && at == commit {
			if changes, err := repo.Changes(ctx); err == nil && len(changes) == 0 {
				return repo, nil
			}
			if err := os.RemoveAll(kept); err != nil {
				return nil, err
			}
			_ = os.Rename(output, kept) // fails if nothing was built
			defer func() {
				_ = os.Rename(kept, output) // if this fails, the files are built again
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

// openSequence returns the sequence that uploads the clone's packages. It does not compare timestamps: clocks of different machines differ, and files
// of these versions on the channel came from this release. If they did not, the comparison of their contents fails before there is a tag.
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
			// Byte code is cached across releases, because compiling it takes longer than everything else.
			Pycache:  cmp.Or(r.Pycache, filepath.Join(r.environments(), "pycache")),
			Wait:     r.Wait,
			Progress: r.Progress,
		},
		Trial: r.Trial(c.w),
	}
	return r.sending, c, nil
}

// openSources returns the build sources: the commit, with the tags that the release will make and `date` as their date. They do not contain changes
// that checks made in the clone.
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

// Checked lists the tasks that passed on a commit.
type Checked struct {
	Commit string   `json:"commit"`
	Tasks  []string `json:"tasks"` // each task, with the last line of its output
}

func (c Checked) String() string { return strings.Join(c.Tasks, "; ") }

// defineCheck defines the step that runs the workspace's qa or test tasks.
func (r *Release) defineCheck(planned given[*plan.Plan], commit given[trace.Commit], shop *workshop) workflow.Step[Checked] {
	return workflow.Step[Checked]{
		Name: trace.StepCheck,
		Skip: func() string { return r.skipCheck(planned.Get(), commit.Get()) },
		Check: func(_ context.Context, before *Checked) (Checked, bool, error) { // the journal's record is valid only for the same commit
			if before == nil || before.Commit != commit.Get().Hash {
				return Checked{}, false, nil
			}
			return *before, true, nil
		},
		Do:  func(ctx context.Context) (Checked, error) { return check(ctx, shop) },
		Say: Checked.String,
	}
}

// skipCheck returns the reason why no checks run, or "".
func (r *Release) skipCheck(p *plan.Plan, commit trace.Commit) string {
	if commit.IsOut() {
		return "the tag is on " + p.Remote + " already; what is tagged was checked before"
	}
	if w, err := workspace.Load(r.Root); err == nil {
		return WarnUnchecked(w)
	}
	return ""
}

// WarnUnchecked returns a warning if no task checks any of the workspace's packages, or "".
func WarnUnchecked(w *workspace.Workspace) string {
	if tasks, _ := tasksOf(w); len(tasks) > 0 {
		return ""
	}
	return "NOTHING IS CHECKED: the workspace has no qa-<package> task and no test task"
}

// WarnNotChecked returns a warning that lists the packages that no task checks, or "" if there are none.
func WarnNotChecked(w *workspace.Workspace) string {
	if nothing := WarnUnchecked(w); nothing != "" {
		return nothing
	}
	if _, without := tasksOf(w); len(without) > 0 {
		return fmt.Sprintf("NOT CHECKED: %s, for want of a task qa-<package>, or one for tests", strings.Join(without, ", "))
	}
	return ""
}

// check runs the tasks one after the other, since each uses all cores.
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
			return checked, operr.New("correct the error and commit your change, which the release then includes; or run `mage undo`", "the task %s: %w", task, err).WithWayOn().WithDetail(out.text())
		}
		checked.Tasks = append(checked.Tasks, task+": "+out.last())
	}
	return checked, nil
}

// tasksOf returns the tasks that check the workspace: its qa task, or each package's qa task. Packages without one fall back to tests. If some
// packages have no task at all, `tasks` has those of the other packages, and `without` lists the packages that have none.
func tasksOf(w *workspace.Workspace) (tasks, without []string) {
	if task := toolchain.FindTask(w.Manifest, "qa"); task != "" {
		return []string{task}, nil
	}
	lacks := false // whether a package has no qa task
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

// Artifacts lists the artifacts built on this machine.
type Artifacts struct {
	Commit    string           `json:"commit"`
	Artifacts []publish.Digest `json:"artifacts"`       // dependencies first
	Tagged    time.Time        `json:"tagged,omitzero"` // date of the tags that the builds saw; the real tags get the same date
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

// `by` returns the end of a sentence that names the tools that built the artifacts.
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

// defineBuild defines the step that builds packages, to publish them from here or to compare them with those that a CI builds.
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

// skipBuild returns the reason why nothing is built here, or "".
func (r *Release) skipBuild(p *plan.Plan, commit trace.Commit) string {
	if commit.IsOut() && r.By(p) == settings.PublishCI {
		return "the tag is on " + p.Remote + " already, and CI builds what is published"
	}
	return ""
}

// isBuilt reports whether the files recorded in `before` still exist with the recorded digests.
func isBuilt(ctx context.Context, commit trace.Commit, shop *workshop, before *Artifacts) (Artifacts, bool, error) {
	if before == nil || before.Commit != commit.Hash {
		return Artifacts{}, false, nil
	}
	if _, err := shop.artifacts(ctx, *before); err != nil {
		return Artifacts{}, false, context.Cause(ctx) // everything is built again
	}
	return *before, true, nil
}

// artifacts returns the built files, after checking each against its manifest and its recorded digest.
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
			return nil, operr.New("run this command again to build the package again", "%s changed after the build: its sha256 is %.12s, but was %.12s", found.Path, found.SHA256, a.SHA256)
		}
		all[a.Package] = found
	}
	return all, nil
}

// build builds the packages that the release releases, and those that the channel lacks. Once the tag is pushed, it builds only the latter. It
// compares the results with the channel to detect conflicts before there is a tag. Packages with separate versions that the release does not change
// are not rebuilt: a build from a later commit has another timestamp, so other bytes.
func build(ctx context.Context, p *plan.Plan, commit trace.Commit, shop *workshop) (Artifacts, error) {
	tagged := time.Now().UTC().Truncate(time.Second)
	s, c, err := shop.openSequence(ctx)
	if err != nil {
		return Artifacts{}, err
	}
	s.From = shop.openSources(c, tagged)
	ready, _, err := s.Ready(ctx)
	if err != nil {
		ready = publish.Artifacts{} // artifacts that cannot be published are rebuilt
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

// takeDown records the built artifacts, their tools, and `tagged`, the date of the tags that the builds saw.
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

// raise adds a next step to an error if the channel has the version with other content: release a higher version. A new commit would not help,
// because a release keeps the versions that were agreed to.
func raise(err error, commit trace.Commit) error {
	if !errors.Is(err, channel.ErrExists) || commit.IsOut() {
		return err
	}
	return operr.New("run `mage undo`, and release a higher version, because published packages are not replaced; if the package has a separate version, pass -only=NAME; nothing was pushed", "%w", err).WithWayOn()
}

// withDetail adds the last output of a child process to an error that has no detail yet.
func withDetail(err error, text string) error {
	if text == "" || operr.DetailOf(err) != "" {
		return err
	}
	return operr.New("", "%w", err).WithDetail(text)
}

// tail is a writer that keeps only the end of a child process's output.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const kept = 16 << 10 // bytes; a few hundred lines

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - kept; over > 0 {
		t.buf = bytes.Clone(t.buf[over:])
	}
	return len(p), nil
}

// `last` returns the last nonblank line, without the "=" decoration of test runners.
func (t *tail) last() string {
	lines := t.lines()
	for i := len(lines) - 1; i >= 0; i-- {
		if line := strings.Trim(lines[i], "= \t\r"); line != "" {
			return line
		}
	}
	return "no output"
}

// text returns the last 40 lines, for an error.
func (t *tail) text() string {
	lines := t.lines()
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Split(strings.TrimRight(string(t.buf), "\n"), "\n")
}
