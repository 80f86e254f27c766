package gitrepo

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// TagTroubles returns the commit of every tag, like [Repo.Tags], and the reasons why any of the given tags cannot be made: git does not allow the
// name, an object that is not a commit has the name, or another tag conflicts with it. A tag that already refers to a commit is not a problem.
func (r *Repo) TagTroubles(ctx context.Context, names []string) (commits map[string]string, found []*operr.Error, err error) {
	have, commits, err := r.readTags(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range have {
		if slices.Contains(names, name) && commits[name] == "" {
			found = append(found, operr.New("pass another version, or remove the tag with `git tag -d "+operr.Word(name)+"`", "the tag %s exists already, and does not refer to a commit", name))
		}
	}
	clashes := findClashes(true, names, have)
	if slices.ContainsFunc(clashes, func(c *operr.Error) bool { return c != nil }) { // only a clash depends on whether names are case-sensitive
		folds, _, err := r.Answer(ctx, "config", "--type=bool", "--get", "core.ignoreCase")
		if err != nil {
			return nil, nil, git.Failure(err, "asking git for its settings")
		}
		if folds != "true" {
			clashes = findClashes(false, names, have)
		}
	}
	for i, name := range names {
		if why := badName(name); why != "" {
			found = append(found, operr.New("give the package another name", "git does not allow the tag %s: %s", name, why))
		}
		if clashes[i] != nil {
			found = append(found, clashes[i])
		}
		found = append(found, findLocks(filepath.Join(r.Common, "refs", "tags", filepath.FromSlash(name)))...)
	}
	return commits, found, nil
}

// findClashes returns, for each new tag, the error if another tag conflicts with it, or nil. A new tag also conflicts with later new tags.
func findClashes(folds bool, names, have []string) []*operr.Error {
	taken, clashes := newTagNames(folds, have...), make([]*operr.Error, len(names))
	for i, name := range names {
		clashes[i] = taken.clash(name)
		taken.add(name)
	}
	return clashes
}

// TagClashes returns errors for the new tags that conflict with a remote's tags.
func TagClashes(names, have []string) (found []*operr.Error) {
	taken := newTagNames(false, have...)
	for _, name := range names {
		if t := taken.clash(name); t != nil {
			found = append(found, t)
		}
	}
	return found
}

// tagNames is a set of tag names. A tag is stored in a file with its name, so a name cannot also be a folder in another tag's name.
type tagNames struct {
	folds bool              // whether the file system ignores case
	names map[string]string // original names, keyed by the name (in lower case if folds is set)
	below map[string]string // a tag in the folder, keyed by the folder's name
}

func newTagNames(folds bool, have ...string) *tagNames {
	t := &tagNames{folds: folds, names: map[string]string{}, below: map[string]string{}}
	for _, name := range have {
		t.add(name)
	}
	return t
}

func (t *tagNames) key(name string) string {
	if t.folds {
		return strings.ToLower(name)
	}
	return name
}

func (t *tagNames) add(name string) {
	if name == "" {
		return
	}
	t.names[t.key(name)] = name
	for dir := path.Dir(name); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if t.below[t.key(dir)] == "" {
			t.below[t.key(dir)] = name
		}
	}
}

// clash returns the error if an existing tag conflicts with a new tag, or nil.
func (t *tagNames) clash(name string) *operr.Error {
	const folder = "git would need a file and a folder with the same name"
	const spelling = "their names differ in case only, and this file system ignores case (core.ignoreCase)"
	if other := t.names[t.key(name)]; other != "" && other != name {
		return inTheWay(name, other, spelling)
	}
	if other := t.below[t.key(name)]; other != "" {
		return inTheWay(name, other, folder)
	}
	for dir := path.Dir(name); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if other := t.names[t.key(dir)]; other != "" {
			return inTheWay(name, other, folder)
		}
		if other := t.below[t.key(dir)]; other != "" && !strings.HasPrefix(other, dir+"/") {
			return inTheWay(name, other, spelling)
		}
	}
	return nil
}

func inTheWay(name, other, why string) *operr.Error {
	next := fmt.Sprintf("rename the old tag with `git tag NEW %[1]s` and `git tag -d %[1]s`, and on the remote with `git push REMOTE NEW :refs/tags/%[1]s`", operr.Word(other))
	return operr.New(next, "the tag %s cannot be made beside the tag %s: %s", name, other, why)
}

// badName returns the reason why git-check-ref-format(1) does not allow a tag name, or "".
func badName(name string) string {
	switch {
	case strings.HasPrefix(name, "-"):
		return "it begins with -"
	case strings.HasSuffix(name, "."):
		return "it ends with a full stop"
	case strings.Contains(name, ".."), strings.Contains(name, "@{"):
		return "it contains .. or @{"
	case strings.ContainsAny(name, " ~^:?*[\\\x7f"), strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return "it contains a character that git reserves"
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return "a part between slashes is empty, begins with a full stop, or ends with .lock"
		}
	}
	return ""
}
