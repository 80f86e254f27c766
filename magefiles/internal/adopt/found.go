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

// Found is what a repository has.
type Found struct {
	Workspace *workspace.Workspace
	Branch    string // that is checked out; "" on none
	Remote    string // name; "" where there is none
	Address   string // of the remote
	Tags      []string
	Tasks     []string
	Workflows []string // files of .github/workflows
	Channel   string   // that packages would be published to
	Deploys   bool     // a downstream has deployment environments

	Taken     string   // the workflow file that publishes by its name, where that is another tool's; "" where it is not
	Apart     bool     // packages have versions that differ
	Examples  []string // patterns of folders whose manifests are tests or examples
	Disagrees []string // sentences
	WontWork  []string // sentences, with what to do
}

// GitHub reports whether the repository is, or may come to be, on a GitHub: elsewhere its workflow files start nothing.
func (f *Found) GitHub() bool {
	host := hosted().FindStringSubmatch(f.Address)
	if host == nil || strings.Contains(host[1], "github") {
		return true
	}
	return !strings.Contains(host[1], ".") && !strings.Contains(host[1], "gitlab") // a name of a person's ssh, as for a second account, does not tell
}

// find looks at the workspace of the clone, whose top is given, and at the repository that it is of.
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
	if w.Config.Publish == settings.PublishCI && f.GitHub() && slices.Contains(f.Workflows, forge.Workflow) && !forge.Publishes(workflows.In(os.DirFS(top)), forge.Workflow) {
		f.Taken = workflows.Folder + "/" + forge.Workflow
		f.WontWork = append(f.WontWork, f.Taken+" does not call `mage publish`, and a channel trusts one file: it is left alone, and a release publishes from here"+
			"\n    → for CI to publish, rename it, take `publish` out of [tool.release], and `mage ci:write`")
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
	for _, e := range released.Unversioned(ctx, w, w.Packages, repo) {
		f.WontWork = append(f.WontWork, sentence(e))
	}
	for _, u := range w.Uncounted {
		f.WontWork = append(f.WontWork, u.String())
	}
	return f, nil
}

func sentence(e *operr.Error) string { return e.Error() + "\n    → " + e.Next }

// channelName makes a name that a channel can have of a repository's.
func channelName(name string) string {
	return strings.Trim(notInChannels().ReplaceAllString(strings.ToLower(name), "-"), "-._")
}

// hosted is the address of a repository on a server: its host, and its path there.
var hosted = lazyregexp.New(`^(?:[a-z+]+://)?(?:[^@/]*@)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::\d+/|[:/])([^:]+?)(?:\.git)?/?$`)

var notInChannels = lazyregexp.New(`[^a-z0-9._-]+`)

// exampleFolders are where manifests are tests or examples, and no part of the workspace.
var exampleFolders = []string{"tests", "test", "examples", "example", "testdata", "fixtures"}

// lookAtFolders finds the manifests that are none of the workspace's, unless all packages are there.
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

// exampleOf is the pattern of the folder of tests or examples that a folder is in; "" where it is in none.
func exampleOf(dir string) string {
	parts := strings.Split(dir, "/")
	for i, part := range parts {
		if slices.Contains(exampleFolders, part) {
			return strings.Join(parts[:i+1], "/") + "/**"
		}
	}
	return ""
}

// template is the beginning of what pixi fills into a task.
var template = regexp.MustCompile(`\{\{|\{%|\{#`)

// lookAtTasks finds the tasks of the root manifest, and those that the embedded toolchain cannot run.
func (f *Found) lookAtTasks() {
	for _, feature := range f.Workspace.Manifest.Features {
		for _, target := range feature.Targets {
			for _, t := range target.Tasks {
				if !slices.Contains(f.Tasks, t.Name) {
					f.Tasks = append(f.Tasks, t.Name)
				}
				if template.MatchString(t.Cmd) || len(t.Args) > 0 {
					f.WontWork = append(f.WontWork, fmt.Sprintf("the task %s has a template or arguments, which pixi alone fills in\n    → where targets run it, let pixi be on PATH", t.Name))
				}
			}
		}
	}
	slices.Sort(f.Tasks)
	const fails = "`mage check`, which ci.yml calls, fails"
	if !slices.ContainsFunc(f.Tasks, isCheck) {
		f.WontWork = append(f.WontWork, "no task tests the packages, so that a release checks nothing, and "+fails+
			"\n    → add test-all, or test-<folder> for each package, to [tasks] of "+f.Workspace.Manifest.Path)
	} else if _, err := toolchain.TestTasks(f.Workspace); err != nil && len(f.Examples) == 0 {
		f.WontWork = append(f.WontWork, err.Error()+": "+fails+"\n    → "+operr.NextOf(err))
	}
}

// isCheck reports whether a task of that name checks packages.
func isCheck(task string) bool {
	return task == "test" || task == "qa" || strings.HasPrefix(task, "test-") || strings.HasPrefix(task, "qa-")
}

// hasTable reports whether a manifest has a table of [tool].
func hasTable(m *manifest.Manifest, w *workspace.Workspace, name string) bool {
	for _, doc := range w.Files {
		if doc.Name == m.Path {
			return doc.Root.Get("tool", name) != nil
		}
	}
	return false
}
