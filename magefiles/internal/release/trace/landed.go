package trace

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Landed are versions that a branch has and that are not tagged: those of a pull request that was merged, for one.
type Landed struct {
	Commit string     // the first on the branch's first parents that has them: a merge, a squash, or what a rebase made
	Bump   *bump.Plan // without files; its tags are those that the commit is to get
}

// TagNames are the tags that the commit is to get.
func (l *Landed) TagNames() (names []string) {
	for _, t := range l.Bump.Tags {
		names = append(names, t.Name)
	}
	return names
}

// FindLanded finds what was landed on the branch that is checked out in a repository, of a workspace there; nil where there is nothing. Of packages whose
// versions came by several commits it is the oldest one. A version that no bump brought, such as a workspace's first, is none. Where the version stands
// in no file but the changelog, its section is what was landed. tags are those of the remote.
func FindLanded(ctx context.Context, repo *gitrepo.Repo, store *bump.Store, w *workspace.Workspace, h bump.History, tags map[string]string) (*Landed, error) {
	if len(w.Disagreements()) > 0 {
		return nil, nil // preflight says it
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return nil, err
	}
	var found *Landed
	taken := isTagged(w, tags)
	for _, tag := range bump.PresentTags(w) {
		if tags[tag.Name] != "" || taken(tag.Package) {
			continue
		}
		made, err := store.Made(ctx, repo, head.Commit, tag)
		if err != nil {
			return nil, err
		}
		if !made.Bumped() {
			continue
		}
		before := false
		if found != nil && found.Commit != made.Commit {
			if before, err = repo.Contains(ctx, found.Commit, made.Commit); err != nil {
				return nil, err
			}
		}
		switch {
		case found == nil || before:
			found = &Landed{Commit: made.Commit, Bump: &bump.Plan{Packages: []bump.Move{}, Files: []bump.File{}, Notes: []string{}, Tags: []bump.Tag{tag}}}
		case found.Commit == made.Commit:
			found.Bump.Tags = append(found.Bump.Tags, tag)
		}
	}
	if found != nil {
		return found, nil
	}
	return findSection(ctx, repo, store, w, h, tags)
}

// isTagged reports whether the version of a package, by its name, has a tag in the form of another tool: "1.2.0", where ours is "v1.2.0". It was released
// before we were there.
func isTagged(w *workspace.Workspace, tags map[string]string) func(name string) bool {
	read := bump.ReadTags(w)
	return func(name string) bool {
		pkg, err := w.Package(name)
		if err != nil {
			return false // its version is in no file
		}
		at, err := version.Parse(pkg.Version.Text)
		if err != nil {
			return false
		}
		for tag := range tags {
			if v, ok := read(name, tag); ok && v.Compare(at) == 0 {
				return true
			}
		}
		return false
	}
}

// findSection finds a release of which the changelog alone has the version.
func findSection(ctx context.Context, repo *gitrepo.Repo, store *bump.Store, w *workspace.Workspace, h bump.History, tags map[string]string) (*Landed, error) {
	place, err := bump.Changelog(w)
	if err != nil || !place.There || place.Foreign != "" {
		//lint:ignore nilerr preflight says what is wrong with it
		return nil, nil
	}
	src, err := os.ReadFile(filepath.Join(w.Root, filepath.FromSlash(place.File)))
	if err != nil {
		return nil, err
	}
	title, line := changelog.First(src)
	word, _, _ := strings.Cut(title, " ")
	word = strings.Trim(word, "[]")
	tag, req := "v"+word, bump.Request{To: word, NoChangelog: true}
	if w.Config.Versioning == settings.Independent {
		tag = word
		req.Only, req.To, _ = strings.Cut(word, "/v")
	}
	if word == "" || tags[tag] != "" || tags[word] != "" {
		return nil, nil
	}
	plan, err := bump.New(ctx, w, req, h)
	if err != nil || !plan.Empty() || len(plan.Packages) == 0 || !slices.ContainsFunc(plan.Tags, func(t bump.Tag) bool { return t.Name == tag }) {
		//lint:ignore nilerr what the section is of is no release that could be made
		return nil, nil
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return nil, err
	}
	commit, err := repo.LineOrigin(ctx, head.Commit, path.Join(store.Prefix, place.File), line)
	if err != nil {
		return nil, err
	}
	plan.Request.To = ""
	return &Landed{Commit: commit, Bump: plan}, nil
}
