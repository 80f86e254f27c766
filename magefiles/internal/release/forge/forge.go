package forge

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
)

// A forge is a kind of server that hosts repositories and runs their CI.
type forge struct {
	files []string // glob patterns of its CI files, relative to the repository root
	trust string   // text in a CI file that allows a job to request an ID token
	keys  bool     // jobs can get a key from the project settings, without any text in the CI file
	lacks string   // message if no file publishes
}

// The forges: GitHub and GitLab, which prefix.dev supports for trusted publishing, and all others.
var (
	onGitHub = &forge{
		files: []string{".github/workflows/*.y*ml"},
		trust: "id-token: write",
		keys:  false,
		lacks: "no file in .github/workflows runs `mage publish` for a tag with `id-token: write`",
	}
	onGitLab = &forge{
		files: []string{".gitlab-ci.y*ml", ".gitlab/*.y*ml", ".gitlab/*/*.y*ml"},
		trust: "id_tokens",
		keys:  true,
		lacks: "neither .gitlab-ci.yml nor a file in .gitlab runs `mage publish`",
	}
	elsewhere = &forge{
		files: []string{
			".gitea/workflows/*.y*ml", ".forgejo/workflows/*.y*ml", "bitbucket-pipelines.yml", "azure-pipelines.yml", ".azure-pipelines/*.y*ml", ".circleci/*.yml",
			".woodpecker.y*ml", ".woodpecker/*.y*ml", ".drone.yml", ".cirrus.yml", ".buildkite/*.y*ml", ".builds/*.yml", ".travis.yml", "Jenkinsfile",
		},
		trust: "id-token: write",
		keys:  true,
		lacks: "no file of a CI runs `mage publish`",
	}
)

// `of` returns the forge of a remote. It looks at the host name, and then for GitLab's CI files.
func (h Hub) of(ctx context.Context, repo *gitrepo.Repo, remote string) (f *forge, host, name string) {
	address, _ := gitremote.URL(ctx, repo, remote) // preflight reports problems with a remote
	host, name = github.HostOf(address)
	switch {
	case h.Repository != "" || host == "github.com":
		return onGitHub, host, name
	case strings.Contains(host, "gitlab") || len(onGitLab.find(repo.Top)) > 0:
		return onGitLab, host, name
	}
	return elsewhere, host, name
}

// publishes matches a call of the publish target, including one of Mage in a separate module.
var publishes = lazyregexp.New(`\bmage( -d \S+)? publish\b`)

// called matches a use of another workflow in the same repository.
var called = lazyregexp.New(`\buses:\s*['"]?[.$]/\.github/workflows/([\w.-]+\.ya?ml)\b`)

// proposes matches a call of the release target with -pr.
var proposes = lazyregexp.New(`\brelease\s+-pr\b`)

// Proposes reports whether a workflow file's text proposes releases by pull request.
func Proposes(text string) bool { return proposes().MatchString(text) }

// Publishes reports whether a GitHub workflow file publishes the packages, by calling the publish target or, directly or indirectly, another workflow
// that calls it. A file that does not is assumed to belong to another tool, even if it has our file name. read returns the text of a workflow file;
// "" if it does not exist.
func Publishes(read func(name string) string, name string) bool {
	seen := map[string]bool{}
	var look func(name string) bool
	look = func(name string) bool {
		if seen[name] {
			return false
		}
		seen[name] = true
		text := read(name)
		return publishes().MatchString(text) || slices.ContainsFunc(called().FindAllStringSubmatch(text, -1), func(m []string) bool { return look(m[1]) })
	}
	return look(name)
}

// find returns the forge's CI files in a work tree.
func (f *forge) find(top string) (files []string) {
	for _, pattern := range f.files {
		names, _ := filepath.Glob(filepath.Join(top, filepath.FromSlash(pattern))) // the patterns are well-formed
		files = append(files, names...)
	}
	return files
}

// findPublisher returns the CI file that publishes, and how it is authorized; "" if there is none. GitHub's files are parsed. All others are only
// searched for text, because each CI has its own format and the result only affects a line of the plan.
func (f *forge) findPublisher(top string) (file, by string) {
	for _, name := range f.find(top) {
		read, err := beneath.ReadFile(top, name)
		if err != nil {
			continue
		}
		right := f.rightByText(string(read))
		if f == onGitHub {
			right = rightOf(top, filepath.Base(name), read)
		}
		if right != "" {
			return filepath.Base(name), right
		}
	}
	return "", ""
}

// Ways in which a CI is authorized to publish.
const (
	byTrust = "by trusted publishing"
	byKey   = "with its key"
)

// rightByText guesses from the text of a CI file how it is authorized to publish; "" if it does not publish.
func (f *forge) rightByText(text string) string {
	switch {
	case !publishes().MatchString(text):
	case strings.Contains(text, f.trust):
		return byTrust
	case f.keys || strings.Contains(text, "PREFIX_API_KEY"):
		return byKey
	}
	return ""
}

// rightOf returns how a GitHub workflow file is authorized to publish when a tag is pushed; "" if it does not publish or is invalid.
func rightOf(top, name string, text []byte) string {
	w, err := file.Read(name, text)
	if err != nil || !Publishes(files(top), name) {
		return ""
	}
	trusted := slices.ContainsFunc(w.Jobs, func(j *file.Job) bool { return j.Permissions.Writes("id-token") })
	if trusted && w.StartsForTags() {
		return byTrust
	}
	if slices.ContainsFunc(w.Secrets(), func(s file.Secret) bool { return s.Key == "PREFIX_API_KEY" }) {
		return byKey
	}
	return ""
}

// `files` returns a function that reads workflow files of a work tree, for [Publishes]. It returns "" for a file that cannot be read.
func files(top string) func(name string) string {
	return func(name string) string {
		text, _ := beneath.ReadFile(top, filepath.Join(top, ".github", "workflows", name)) // an unreadable file calls nothing
		return string(text)
	}
}

// DescribeRight describes which file publishes and how it is authorized, or says that none was found.
func (h Hub) DescribeRight(ctx context.Context, repo *gitrepo.Repo, remote string) string {
	says, none := h.search(ctx, repo, repo.Top, remote)
	if says == "" {
		return "CI publishes, as -publish or [tool.release] publish says, though " + none.Lacks
	}
	return says
}

// FindNoCI describes what is missing if no CI file in a work tree publishes. It returns the zero value if one does. remote is a remote of repo.
func (h Hub) FindNoCI(ctx context.Context, repo *gitrepo.Repo, top, remote string) NoCI {
	_, none := h.search(ctx, repo, top, remote)
	return none
}

// search looks for a CI file in a work tree that publishes. says describes it; "" if there is none.
func (h Hub) search(ctx context.Context, repo *gitrepo.Repo, top, remote string) (says string, none NoCI) {
	ours, _, _ := h.of(ctx, repo, remote)
	all := []*forge{ours, elsewhere} // the CI of a GitHub repository may run elsewhere
	if ours == elsewhere {
		all = append(all, onGitHub) // Gitea and Forgejo also read GitHub's files
	}
	for _, f := range all {
		if file, by := f.findPublisher(top); file != "" {
			return "CI publishes (" + file + ", " + by + ")", none
		}
	}
	none = NoCI{Lacks: ours.lacks, byHand: ours == onGitLab}
	if _, err := beneath.ReadFile(top, filepath.Join(top, ".github", "workflows", Workflow)); err == nil && !isOurs(top) {
		none.taken = true
	}
	return "", none
}

// NoCI describes why no CI file publishes. The zero value means that one does.
type NoCI struct {
	Lacks  string // what was not found
	byHand bool   // `ci:write` does not support this CI
	taken  bool   // the file that `ci:write` would write already belongs to another tool
}

// Next describes how to publish; "" if a CI file publishes. here is the command line that publishes from this machine; "" if this needs the setting.
func (n NoCI) Next(here string) string {
	from, another := "set publish = \"here\" in [tool.release] to publish from this machine", "; if another CI publishes, set publish = \"ci\" in [tool.release]"
	if here != "" {
		from, another = "publish from this machine with `"+here+"`", "; if another CI publishes, pass -publish=ci, or set publish = \"ci\" in [tool.release]"
	}
	switch {
	case n.Lacks == "":
		return ""
	case n.taken:
		return from + " (" + Workflow + " belongs to another tool, so `mage ci:write` does not change this file)" + another
	case n.byHand:
		return "write a job that runs `mage publish` for a tag (foopack's magefiles/docs/publishing.md has an example); or " + from + another
	}
	return "run `mage ci:write`, then commit and push " + Workflow + ", which publishes the packages; or " + from + another
}

// DescribePlace tells the user where to look at a CI that cannot be queried.
func (h Hub) DescribePlace(ctx context.Context, repo *gitrepo.Repo, p *plan.Plan) string {
	switch f, host, name := h.of(ctx, repo, p.Remote); {
	case f == onGitHub:
		return "see the runs of " + Workflow + " for " + p.Title
	case f == onGitLab && host != "":
		return "see the pipeline of " + p.Title + ": https://" + host + "/" + name + "/-/pipelines?ref=" + p.Tags[0]
	case f == onGitLab:
		return "see the pipeline of " + p.Title
	}
	return "see what the CI does for the tag " + p.Tags[0]
}

// workflow returns the publishing workflow in a work tree; nil if it does not exist or is invalid.
func (h Hub) workflow(top string) *file.Workflow {
	if h.Repository == "" {
		return nil
	}
	data, err := beneath.ReadFile(top, filepath.Join(top, ".github", "workflows", Workflow))
	if err != nil {
		return nil
	}
	w, err := file.Read(Workflow, data)
	if err != nil {
		return nil
	}
	return w
}

// RefuseDispatch returns the reason why a run of the publishing workflow cannot be requested; "" if it can, or if the workflow cannot be read.
func (h Hub) RefuseDispatch(top string) string {
	switch w := h.workflow(top); {
	case w == nil:
		return ""
	case !w.StartsFor("workflow_dispatch"):
		return w.File + " has no workflow_dispatch"
	case !isOurs(top):
		return w.File + " does not call `mage publish`, and may do anything else"
	}
	return ""
}

// isOurs reports whether the file with the publishing workflow's name really publishes.
func isOurs(top string) bool {
	return Publishes(files(top), Workflow)
}

// RefuseTags returns the reason why pushing one of the tags would not start the publishing workflow, or "". It also returns "" if it cannot tell: for
// a file of another tool, for a file that it cannot parse, since GitHub may support newer syntax, and for a workflow that starts on an event which a
// tag may cause indirectly, such as a release.
func (h Hub) RefuseTags(top string, tags []string) string {
	w := h.workflow(top)
	if w == nil || w.StartsFor("create", "release", "repository_dispatch", "workflow_run") || !isOurs(top) {
		return ""
	}
	trusted := slices.DeleteFunc(w.Jobs, func(j *file.Job) bool { return !j.Permissions.Writes("id-token") })
	for _, tag := range tags {
		if starts, why := w.StartsForTag(tag); !starts {
			return why
		}
		if len(trusted) > 0 && !slices.ContainsFunc(trusted, func(j *file.Job) bool { return j.RunsForTag(h.Repository, tag) }) {
			return fmt.Sprintf("%s:%d: no job with `id-token: write` runs for the tag %s: the `if` of %s is false", w.File, trusted[0].Line, tag, trusted[0].ID)
		}
	}
	return ""
}
