// Package lacking finds files that are not in a work tree as committed, although nobody changed them: Git LFS pointers, files that a
// sparse checkout omits, files with edits that git was told to ignore, and missing submodules.
//
//	lacking.go       finding what is missing, and the errors for it
//	files.go         the repository's own files
//	submodules.go    submodules and their contents
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

// Lack is a file or a submodule that is not in a work tree as committed.
type Lack struct {
	Path   string // relative to Top, with slashes
	Kind   Kind
	Why    string // follows the path in a sentence, such as "is only a pointer to a file in Git LFS"
	Next   string // the next step
	Detail string // error of an attempt to fetch the submodule, or ""

	Submodule bool
}

// Kind is the kind of content that would be packed instead of the committed file.
type Kind int

const (
	Missing Kind = iota // none, because the file is missing
	Stored              // the stored form of the file, such as a pointer or encrypted content
	Differs             // content that differs from the committed one, which `git status` may not show
)

// Find returns what is missing in the folders `packed`, from which packages are packed, including nested submodules. The folders `named` are only
// referred to by manifests, so Find only checks them for missing submodules. All folders are relative to Open's dir.
//
// It makes two git calls, and reads the first bytes of small files and of files with a filter.
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

// `holds` reports whether a path is one of the folders, or is in one.
func holds(dirs []string, name string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return d == "." || name == d || strings.HasPrefix(name, d+"/") })
}

// Touches reports whether a submodule is in one of the folders, or contains one of them.
func Touches(dirs []string, link string) bool {
	return holds(dirs, link) || slices.ContainsFunc(dirs, func(d string) bool { return strings.HasPrefix(d, link+"/") })
}

// `within` returns the folders relative to a submodule. A folder that contains the submodule becomes ".".
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

// LeftOut returns the files with the given base names, below Open's dir, that a sparse checkout omits. Paths are relative to Top.
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

// Refuse returns an error that lists each Lack, or nil if there is none.
func Refuse(found []Lack) error {
	var each []*operr.Error
	for _, l := range found[:min(len(found), mostNamed)] {
		each = append(each, l.Err())
	}
	if more := len(found) - mostNamed; more > 0 {
		each = append(each, operr.New("", "%s", operr.Count(more, "more file")))
	}
	return operr.Join(each, "correct each of these files", "%s of packages would not be packed with the committed content; nothing was built", operr.Count(len(found), "file"))
}

// mostNamed is the maximum number of files that an error lists.
const mostNamed = 20

func (l Lack) String() string { return l.Path + " " + l.Why }

// Err returns the error for a Lack.
func (l Lack) Err() *operr.Error { return operr.New(l.Next, "%s", l).WithDetail(l.Detail) }
