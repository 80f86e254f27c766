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

// TagTroubles returns the commit of every tag, as [Repo.Tags] does, and says which tags cannot be made here, and why: git does not allow
// the name, something else has it, or another tag is in the way. A tag that is there already, on a commit, is none of these.
func (r *Repo) TagTroubles(ctx context.Context, names []string) (commits map[string]string, found []*operr.Error, err error) {
	have, commits, err := r.readTags(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range have {
		if slices.Contains(names, name) && commits[name] == "" {
			found = append(found, operr.New("say another version, or remove it: `git tag -d "+operr.Word(name)+"`", "the tag %s is there already, and names something other than a commit", name))
		}
	}
	clashes := findClashes(true, names, have)
	if slices.ContainsFunc(clashes, func(c *operr.Error) bool { return c != nil }) { // else it does not matter whether files are found whatever their case
		folds, _, err := r.Answer(ctx, "config", "--type=bool", "--get", "core.ignoreCase")
		if err != nil {
			return nil, nil, git.Failed(err, "asking git for its settings")
		}
		if folds != "true" {
			clashes = findClashes(false, names, have)
		}
	}
	for i, name := range names {
		if why := badName(name); why != "" {
			found = append(found, operr.New("give the package another name", "git allows no tag %s: %s", name, why))
		}
		if clashes[i] != nil {
			found = append(found, clashes[i])
		}
		found = append(found, locked(filepath.Join(r.Common, "refs", "tags", filepath.FromSlash(name)))...)
	}
	return commits, found, nil
}

// findClashes says of each tag that is to be made which other one is in the way, among them those that are made before; nil for none.
func findClashes(folds bool, names, have []string) []*operr.Error {
	taken, clashes := newTagNames(folds, have...), make([]*operr.Error, len(names))
	for i, name := range names {
		clashes[i] = taken.clash(name)
		taken.add(name)
	}
	return clashes
}

// TagClashes says of tags that are to be made which of those that a remote has are in the way.
func TagClashes(names, have []string) (found []*operr.Error) {
	taken := newTagNames(false, have...)
	for _, name := range names {
		if t := taken.clash(name); t != nil {
			found = append(found, t)
		}
	}
	return found
}

// tagNames are names that are taken. Git keeps a tag in a file of its name, so a name cannot be a folder of another one's.
type tagNames struct {
	folds bool              // files are found whatever their case
	names map[string]string // the tag by its name, in lower case where it folds
	below map[string]string // a tag in a folder, by that folder
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

// clash says which tag is in the way of another one; nil where none is.
func (t *tagNames) clash(name string) *operr.Error {
	const folder = "one name would have to be a file and a folder at once"
	const spelling = "their names differ in case only, which this file system does not tell apart (core.ignoreCase)"
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
	next := fmt.Sprintf("give the old one another name: `git tag NEW %[1]s`, `git tag -d %[1]s`; on the remote: `git push REMOTE NEW :refs/tags/%[1]s`", operr.Word(other))
	return operr.New(next, "the tag %s cannot be made beside the tag %s: %s", name, other, why)
}

// badName says what git has against a tag's name (git-check-ref-format(1)); "" where it has nothing.
func badName(name string) string {
	switch {
	case strings.HasPrefix(name, "-"):
		return "it begins with -"
	case strings.HasSuffix(name, "."):
		return "it ends with a full stop"
	case strings.Contains(name, ".."), strings.Contains(name, "@{"):
		return "it has .. or @{ in it"
	case strings.ContainsAny(name, " ~^:?*[\\\x7f"), strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return "it has a character that git uses for something else"
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return "a part of it is empty, begins with a full stop, or ends with .lock"
		}
	}
	return ""
}
