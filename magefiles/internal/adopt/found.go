package adopt

import (
	"context"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Found describes a repository before init changes it.
type Found struct {
	Workspace *workspace.Workspace
	Branch    string // the current branch; "" if there is none
	Remote    string // name of the remote; "" if there is none
	Address   string // URL of the remote
	Tags      []string
	Tasks     []string
	Workflows []string // files of .github/workflows
	Channel   string   // the channel to which packages would be published
	Deploys   bool     // whether a downstream has deployment environments

	Taken     string   // path of a release.yml with which another tool publishes; otherwise ""
	Apart     bool     // packages have different versions
	Examples  []string // patterns for folders with manifests of tests or examples
	Disagrees []string // sentences
	WontWork  []string // sentences, with what to do
}

// GitHub reports whether the repository is on a GitHub server, or may be later. Other servers do not run GitHub's workflow files.
func (f *Found) GitHub() bool {
	host := hosted().FindStringSubmatch(f.Address)
	if host == nil || strings.Contains(host[1], "github") {
		return true
	}
	return !strings.Contains(host[1], ".") && !strings.Contains(host[1], "gitlab") // an alias from the ssh configuration may be GitHub
}

// find inspects the workspace in the clone, whose root is `top`, and the repository that was cloned.
func find(ctx context.Context, w *workspace.Workspace, top string, repo *gitrepo.Repo, head gitrepo.Head, r Request) (*Found, error) {
	f := &Found{Workspace: w, Branch: head.Branch}
	var err error
	if f.Remote, f.Address, err = remoteOf(ctx, w, repo); err != nil {
		return nil, err
	}
	tags, err := repo.MergedTags(ctx)
	if err != nil {
		return nil, err
	}
	for name := range tags {
		f.Tags = append(f.Tags, name)
	}
	slices.Sort(f.Tags)
	files, err := repo.FilesBelow(ctx, workflows.Folder)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if path.Dir(file) == "." {
			f.Workflows = append(f.Workflows, file)
		}
	}
	f.Channel = w.Config.Channel
	switch {
	case r.Channel != "":
		f.Channel = r.Channel
	case f.Channel == "":
		f.Channel = channelName(strings.TrimSuffix(path.Base(strings.ReplaceAll(f.Address, ":", "/")), ".git"))
	}
	for _, d := range w.Downstreams {
		environments, err := config.Of(w, d)
		if err != nil {
			return nil, err
		}
		f.Deploys = f.Deploys || len(environments) > 0
	}
	if w.Config.Publish == settings.PublishCI && f.GitHub() && slices.Contains(f.Workflows, forge.Workflow) && !forge.Publishes(workflows.FileReader(os.DirFS(top)), forge.Workflow) {
		f.Taken = workflows.Folder + "/" + forge.Workflow
		f.WontWork = append(f.WontWork, f.Taken+" does not call `mage publish`, and a channel trusts only one file: init leaves this file as it is, and a release publishes from this machine"+
			"\n    → to publish from CI, rename this file, remove `publish` from [tool.release], and run `mage ci:write`")
	}
	f.lookAtFolders()
	f.lookAtTasks()
	for _, d := range w.Disagreements() {
		f.Apart = f.Apart || d.Apart
		if !d.Apart {
			f.Disagrees = append(f.Disagrees, d.Pos.String()+": "+d.Message)
		}
	}
	for _, n := range w.NotNoarch() {
		f.WontWork = append(f.WontWork, sentence(n.Err()))
	}
	for _, e := range released.FindUnversioned(ctx, w, w.Packages, repo) {
		f.WontWork = append(f.WontWork, sentence(e))
	}
	for _, u := range w.Uncounted {
		f.WontWork = append(f.WontWork, u.String())
	}
	return f, nil
}

func sentence(e *operr.Error) string { return e.Error() + "\n    → " + e.Next }

// channelName converts a repository's name to a valid channel name.
func channelName(name string) string {
	return strings.Trim(notInChannels().ReplaceAllString(strings.ToLower(name), "-"), "-._")
}

// hosted matches the URL of a repository on a server: its host, and its path there.
var hosted = lazyregexp.New(`^(?:[a-z+]+://)?(?:[^@/]*@)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::\d+/|[:/])([^:]+?)(?:\.git)?/?$`)

var notInChannels = lazyregexp.New(`[^a-z0-9._-]+`)

// exampleFolders lists folder names for tests or examples, whose manifests are not part of the workspace.
var exampleFolders = []string{"tests", "test", "examples", "example", "testdata", "fixtures"}

// lookAtFolders finds folders of tests and examples that have manifests, unless all packages are in such folders.
func (f *Found) lookAtFolders() {
	own := 0
	for _, p := range f.Workspace.Packages {
		if exampleOf(p.Dir) == "" {
			own++
		}
	}
	if own == 0 {
		return
	}
	for _, p := range f.Workspace.Packages {
		f.Examples = append(f.Examples, exampleOf(p.Dir))
	}
	for _, d := range f.Workspace.Downstreams {
		f.Examples = append(f.Examples, exampleOf(d.Dir))
	}
	slices.Sort(f.Examples)
	f.Examples = slices.DeleteFunc(slices.Compact(f.Examples), func(p string) bool { return p == "" })
}

// exampleOf returns a pattern for the tests or examples folder that contains dir, or "" if there is none.
func exampleOf(dir string) string {
	parts := strings.Split(dir, "/")
	for i, part := range parts {
		if slices.Contains(exampleFolders, part) {
			return strings.Join(parts[:i+1], "/") + "/**"
		}
	}
	return ""
}

// template matches the start of a template that pixi fills in.
var template = regexp.MustCompile(`\{\{|\{%|\{#`)

// lookAtTasks finds the tasks in the root manifest, and those that the embedded toolchain cannot run.
func (f *Found) lookAtTasks() {
	for _, feature := range f.Workspace.Manifest.Features {
		for _, target := range feature.Targets {
			for _, t := range target.Tasks {
				if !slices.Contains(f.Tasks, t.Name) {
					f.Tasks = append(f.Tasks, t.Name)
				}
				if template.MatchString(t.Cmd) || len(t.Args) > 0 {
					f.WontWork = append(f.WontWork, fmt.Sprintf("the task %s has a template or arguments, which only pixi fills in\n    → put pixi on PATH if a target runs this task", t.Name))
				}
			}
		}
	}
	slices.Sort(f.Tasks)
	const fails = "`mage check`, which ci.yml calls, fails"
	if !slices.ContainsFunc(f.Tasks, isCheck) {
		f.WontWork = append(f.WontWork, "no task tests the packages, so a release tests nothing, and "+fails+
			"\n    → add a task test-all, or a task test-<folder> for each package, to [tasks] of "+f.Workspace.Manifest.Path)
	} else if _, err := toolchain.TestTasks(f.Workspace); err != nil && len(f.Examples) == 0 {
		f.WontWork = append(f.WontWork, err.Error()+": "+fails+"\n    → "+operr.NextOf(err))
	}
}

// isCheck reports whether a task of that name is a check.
func isCheck(task string) bool {
	return task == "test" || task == "qa" || strings.HasPrefix(task, "test-") || strings.HasPrefix(task, "qa-")
}

// hasTable reports whether a manifest has a table of that name below [tool].
func hasTable(m *manifest.Manifest, w *workspace.Workspace, name string) bool {
	for _, doc := range w.Files {
		if doc.Name == m.Path {
			return doc.Root.Get("tool", name) != nil
		}
	}
	return false
}
