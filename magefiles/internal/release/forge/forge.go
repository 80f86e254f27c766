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

// A forge is a kind of server that keeps repositories and runs a CI of theirs.
type forge struct {
	files []string // of its CI, as filepath.Match has patterns, from the repository's top
	trust string   // what such a file says by which a job may have an ID token
	keys  bool     // a job may have a key by the settings of its project, without a word in the file
	lacks string   // what is said where no file publishes
}

// GitHub and GitLab, whose jobs prefix.dev trusts, and all others.
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

// of is the forge of a remote: by its address, or, for a server of a name that does not tell, by GitLab's own file.
func (h Hub) of(ctx context.Context, repo *gitrepo.Repo, remote string) (f *forge, host, name string) {
	address, _ := gitremote.URL(ctx, repo, remote) // preflight says what is wrong with a remote
	host, name = github.HostOf(address)
	switch {
	case h.Repository != "":
		return onGitHub, host, name
	case strings.Contains(host, "gitlab") || len(onGitLab.find(repo.Top)) > 0:
		return onGitLab, host, name
	}
	return elsewhere, host, name
}

// publishes is a call of the target, also where Mage is in a module of its own.
var publishes = lazyregexp.New(`\bmage( -d \S+)? publish\b`)

// called is where a job calls a workflow of the repository.
var called = lazyregexp.New(`\buses:\s*['"]?[.$]/\.github/workflows/([\w.-]+\.ya?ml)\b`)

// proposes is where a job proposes a release.
var proposes = lazyregexp.New(`\brelease\s+-pr\b`)

// Proposes reports whether the text of a workflow file proposes releases by pull requests.
func Proposes(text string) bool { return proposes().MatchString(text) }

// Publishes reports whether a workflow file of GitHub's publishes the packages: it calls the target that does, or a workflow of the repository that does.
// Any other one is another tool's, whatever its name. read gives the text of such a file by its name; "" where there is none.
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

// find finds its files in a work tree.
func (f *forge) find(top string) (files []string) {
	for _, pattern := range f.files {
		names, _ := filepath.Glob(filepath.Join(top, filepath.FromSlash(pattern))) // the patterns are well-formed
		files = append(files, names...)
	}
	return files
}

// findPublisher finds the file by which its CI publishes, and by which right; "" where there is none. What GitHub reads is read as GitHub does, and others' files
// tell by their texts: each of their CIs has a language of its own, one of which is Groovy, and nothing but a line of the plan is said by it.
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

// How a CI publishes.
const (
	byTrust = "by trusted publishing"
	byKey   = "with its key"
)

// rightByText is the right by which a file publishes, by words that stand in it; "" for one that does not.
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

// rightOf is the right by which a workflow file of GitHub's publishes where a tag is pushed; "" for one that does not, or that GitHub would not read.
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

// files reads the workflow files of a work tree, for [Publishes]: a text is "" where there is no such file, or none that can be read.
func files(top string) func(name string) string {
	return func(name string) string {
		text, _ := beneath.ReadFile(top, filepath.Join(top, ".github", "workflows", name)) // what cannot be read calls nothing
		return string(text)
	}
}

// DescribeRight says by which file a CI publishes, and by which right, or that none does.
func (h Hub) DescribeRight(ctx context.Context, repo *gitrepo.Repo, remote string) string {
	ours, _, _ := h.of(ctx, repo, remote)
	all := []*forge{ours, elsewhere} // a repository on GitHub may have its CI elsewhere
	if ours == elsewhere {
		all = append(all, onGitHub) // Gitea and Forgejo read its files too
	}
	for _, f := range all {
		if file, by := f.findPublisher(repo.Top); file != "" {
			return "CI publishes (" + file + ", " + by + ")"
		}
	}
	return "CI publishes, though " + ours.lacks + ": it has to be there, or -publish=here"
}

// DescribePlace says where a CI is at work that cannot be asked.
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

// workflow is the file that publishes, in a work tree; nil where it is not there, or cannot be read as GitHub reads it.
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

// RefuseDispatch says why a run of the workflow that publishes cannot be asked for where GitHub begins none for a tag; "" where it can, and where the
// file does not tell.
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

// isOurs reports whether the file of a work tree that is called as the one that publishes does publish.
func isOurs(top string) bool {
	return Publishes(files(top), Workflow)
}

// RefuseTags says why the push of a tag does not start the workflow that publishes; "" where each of them does, and where the file is another
// tool's. A file that cannot be read as GitHub reads it says nothing, as GitHub may know more by now than we do; neither does one that starts for something
// else that a tag may bring.
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
