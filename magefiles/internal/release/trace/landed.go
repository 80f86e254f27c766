package trace

import (
	"context"
	"errors"
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

// Landed describes untagged versions on a branch, such as those from a merged pull request.
type Landed struct {
	Commit string     // first commit with the versions along the branch's first parents: a merge, a squashed or a rebased commit
	Bump   *bump.Plan // without files; Tags are the tags that the commit should get
}

// TagNames returns the names of the tags that the commit should get.
func (l *Landed) TagNames() (names []string) {
	for _, t := range l.Bump.Tags {
		names = append(names, t.Name)
	}
	return names
}

// Pushed returns l if the remote-tracking branch contains the commit, and nil otherwise. It does not query the remote.
func (l *Landed) Pushed(ctx context.Context, repo *gitrepo.Repo, remote, branch string) (*Landed, error) {
	if l == nil {
		return nil, nil
	}
	at, err := repo.Resolve(ctx, "refs/remotes/"+remote+"/"+branch)
	if errors.Is(err, gitrepo.ErrNoCommit) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if has, err := repo.Contains(ctx, at, l.Commit); !has || err != nil {
		return nil, err
	}
	return l, nil
}

// FindLanded finds untagged versions on the current branch; nil if there are none. If packages were bumped by several commits, it returns the oldest
// commit. Versions that no commit bumped, such as a workspace's first version, do not count. If a version is only in the changelog, the commit that
// added its section counts. tags are the remote's tags.
func FindLanded(ctx context.Context, repo *gitrepo.Repo, store *bump.Store, w *workspace.Workspace, h bump.History, tags map[string]string) (*Landed, error) {
	if len(w.Disagreements()) > 0 {
		return nil, nil // preflight reports this
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

// isTagged returns a function that reports whether a package's version is already tagged in another tool's format, such as "1.2.0" instead of
// "v1.2.0". Such a version was released before the repository used this tool.
func isTagged(w *workspace.Workspace, tags map[string]string) func(name string) bool {
	read := bump.ReadTags(w)
	return func(name string) bool {
		pkg, err := w.Package(name)
		if err != nil {
			return false // the package has no version in a file
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

// findSection finds a landed release by its changelog section, for versions that are in no other file.
func findSection(ctx context.Context, repo *gitrepo.Repo, store *bump.Store, w *workspace.Workspace, h bump.History, tags map[string]string) (*Landed, error) {
	place, err := bump.Changelog(w)
	if err != nil || !place.There || place.Foreign != "" {
		//lint:ignore nilerr preflight says what is wrong with the changelog
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
		//lint:ignore nilerr the changelog section is not of a release that could be made
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
