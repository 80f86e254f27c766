// Package lacking finds the files that git did not put into a work tree as they are committed, though nobody has changed them there: pointers
// of Git LFS, what a sparse checkout leaves out, edits that git was told not to look at, and submodules that are not there.
//
//	lacking.go       what is lacking, and the error for it
//	files.go         of the repository's own files
//	submodules.go    submodules, and what is lacking in them
package lacking

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Lack is a file, or a submodule, that is not in a work tree as it is committed, without being a change of it.
type Lack struct {
	Path   string // relative to Top, with slashes
	Kind   Kind
	Why    string // "is the pointer of a file that Git LFS keeps": what follows its path in a sentence
	Next   string // what to do about it
	Detail string // what went wrong when it was to be fetched; "" for nothing

	Submodule bool
}

// Kind tells what a package would be made of in place of the file.
type Kind int

const (
	Missing Kind = iota // nothing: it is not there
	Stored              // what git stores in its place: a pointer, or its encrypted contents
	Differs             // other contents than the committed ones, which `git status` may not tell
)

// Find returns what is lacking in folders that packages are packed from; in submodules too, and in theirs. Of folders
// that manifests only name, a submodule that is not there counts. Both are relative to the folder that Open was given.
//
// It costs two calls of git, and a look at the first bytes of small files and of those with a filter.
func Find(ctx context.Context, r *gitrepo.Repo, packed, named []string) ([]Lack, error) {
	return find(ctx, r, r.FromTop(packed), r.FromTop(named))
}

func find(ctx context.Context, r *gitrepo.Repo, packed, named []string) ([]Lack, error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return nil, err
	}
	var found []Lack
	var files, links []gitrepo.Entry
	for _, e := range entries {
		switch {
		case e.Mode == gitrepo.LinkMode && (Touches(packed, e.Path) || Touches(named, e.Path)):
			links = append(links, e)
		case e.Mode != gitrepo.LinkMode && holds(packed, e.Path):
			files = append(files, e)
		}
	}
	for _, ask := range []func() ([]Lack, error){
		func() ([]Lack, error) { return findFiles(ctx, r, files) },
		func() ([]Lack, error) { return findSubmodules(ctx, r, links, packed, named) },
	} {
		more, err := ask()
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	slices.SortFunc(found, func(a, b Lack) int { return strings.Compare(a.Path, b.Path) })
	return found, nil
}

// holds reports whether a path is in one of the folders.
func holds(dirs []string, name string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return d == "." || name == d || strings.HasPrefix(name, d+"/") })
}

// Touches reports whether a folder holds a submodule, or lies in it.
func Touches(dirs []string, link string) bool {
	return holds(dirs, link) || slices.ContainsFunc(dirs, func(d string) bool { return strings.HasPrefix(d, link+"/") })
}

// within are the folders as they are seen from a submodule; "." where one holds it.
func within(dirs []string, link string) (out []string) {
	for _, d := range dirs {
		switch rest, inside := strings.CutPrefix(d, link+"/"); {
		case inside:
			out = append(out, rest)
		case holds([]string{d}, link):
			out = append(out, ".")
		}
	}
	return out
}

// LeftOut returns the files of some names, below the folder that Open was given, that a sparse checkout has left out;
// relative to Top.
func LeftOut(ctx context.Context, r *gitrepo.Repo, names ...string) ([]string, error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if !e.Unseen() || !slices.Contains(names, path.Base(e.Path)) || !holds(r.FromTop([]string{"."}), e.Path) {
			continue
		}
		if _, err := os.Lstat(filepath.Join(r.Top, filepath.FromSlash(e.Path))); errors.Is(err, fs.ErrNotExist) {
			found = append(found, e.Path)
		}
	}
	return found, nil
}

// Refuse is the error for what is lacking, each by name; nil where nothing is.
func Refuse(found []Lack) error {
	var each []*operr.Error
	for _, l := range found[:min(len(found), mostNamed)] {
		each = append(each, l.Err())
	}
	if more := len(found) - mostNamed; more > 0 {
		each = append(each, operr.New("", "%s", operr.Count(more, "more file")))
	}
	return operr.Join(each, "see to each; nothing was built", "%s of packages would not be packed as they are committed", operr.Count(len(found), "file"))
}

// mostNamed is how many files an error names.
const mostNamed = 20

func (l Lack) String() string { return l.Path + " " + l.Why }

// Err is the error for one of them.
func (l Lack) Err() *operr.Error { return operr.New(l.Next, "%s", l).WithDetail(l.Detail) }
