package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Lack is a file, or a submodule, that is not in a work tree as it is committed, without being a change of it.
type Lack struct {
	Path   string // relative to Top, with slashes
	Kind   LackKind
	Why    string // "is the pointer of a file that Git LFS keeps": what follows its path in a sentence
	Next   string // what to do about it
	Detail string // what went wrong when it was to be fetched; "" for nothing
}

// LackKind tells what a package would be made of in place of the file.
type LackKind int

const (
	Missing LackKind = iota // nothing: it is not there
	Stored                  // what git stores in its place: a pointer, or its encrypted contents
	Differs                 // other contents than the committed ones, which `git status` may not tell
)

// Lacking returns what is lacking in folders that packages are packed from; in submodules too, and in theirs. Of folders
// that manifests only name, a submodule that is not there counts. Both are relative to the folder that Open was given.
//
// It costs two calls of git, and a look at the first bytes of small files and of those with a filter.
func (r *Repo) Lacking(ctx context.Context, packed, named []string) ([]Lack, error) {
	return r.lacking(ctx, r.below(packed), r.below(named))
}

// below gives folders relative to what Open was given their paths from Top; "." is Top itself.
func (r *Repo) below(dirs []string) (out []string) {
	for _, d := range dirs {
		if at := path.Join(r.Prefix, d); !strings.HasPrefix(at, "..") {
			out = append(out, at)
		}
	}
	return out
}

func (r *Repo) lacking(ctx context.Context, packed, named []string) ([]Lack, error) {
	entries, err := r.entries(ctx)
	if err != nil {
		return nil, err
	}
	var found []Lack
	var files, links []entry
	for _, e := range entries {
		switch {
		case e.mode == linkMode && (touches(packed, e.path) || touches(named, e.path)):
			links = append(links, e)
		case e.mode != linkMode && holds(packed, e.path):
			files = append(files, e)
		}
	}
	for _, ask := range []func() ([]Lack, error){
		func() ([]Lack, error) { return r.lackingFiles(ctx, files) },
		func() ([]Lack, error) { return r.lackingLinks(ctx, links, packed, named) },
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

// entry is a line of git's index.
type entry struct {
	path   string
	mode   string // "100644"
	object string // hex
	unseen bool   // assume-unchanged or skip-worktree: git does not look at the file
}

const linkMode = "160000" // of a submodule

func (r *Repo) entries(ctx context.Context) ([]entry, error) {
	out, err := r.git(ctx, "ls-files", "-v", "--stage", "-z", "--full-name")
	if err != nil {
		return nil, failed(err, "asking git for the files of %s", r.Top)
	}
	var entries []entry
	for line := range strings.SplitSeq(out, "\x00") {
		head, name, ok := strings.Cut(line, "\t")
		if f := strings.Fields(head); ok && len(f) == 4 {
			entries = append(entries, entry{path: name, mode: f[1], object: f[2], unseen: f[0] != "H" && f[0] != "M"})
		}
	}
	return entries, nil
}

// holds reports whether a path is in one of the folders.
func holds(dirs []string, name string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return d == "." || name == d || strings.HasPrefix(name, d+"/") })
}

// touches reports whether a folder holds a submodule, or lies in it.
func touches(dirs []string, link string) bool {
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

func (r *Repo) lackingFiles(ctx context.Context, files []entry) ([]Lack, error) {
	filters, err := r.filters(ctx, files)
	if err != nil {
		return nil, err
	}
	var found []Lack
	var compare []entry
	for _, e := range files {
		l, look, err := r.lookAt(e, filters[e.path])
		switch {
		case err != nil:
			return nil, operr.New("make it readable", "looking at %s: %w", e.path, err)
		case l != nil:
			found = append(found, *l)
		case look:
			compare = append(compare, e)
		}
	}
	hidden, err := r.hidden(ctx, compare)
	return append(found, hidden...), err
}

// filters returns the filter attribute of files; "" where none is set, and "-" where one is unset.
func (r *Repo) filters(ctx context.Context, files []entry) (map[string]string, error) {
	filters := make(map[string]string)
	var list strings.Builder
	for _, e := range files {
		list.WriteString(e.path + "\x00")
	}
	if len(files) == 0 {
		return filters, nil
	}
	out, err := r.fed(ctx, list.String(), "check-attr", "-z", "--stdin", "filter")
	if err != nil {
		return nil, failed(err, "asking git for the filters of files")
	}
	for f := strings.Split(out, "\x00"); len(f) >= 3; f = f[3:] {
		switch f[2] {
		case "unspecified", "set":
		case "unset":
			filters[f[0]] = "-"
		default:
			filters[f[0]] = f[2]
		}
	}
	return filters, nil
}

// lookAt looks at one file. look says that its contents have to be compared with the committed ones.
func (r *Repo) lookAt(e entry, filter string) (l *Lack, look bool, err error) {
	name := filepath.Join(r.Top, filepath.FromSlash(e.path))
	st, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && e.unseen:
		return &Lack{
			Path: e.path, Kind: Missing, Why: "is left out of this work tree (a sparse checkout)",
			Next: "`git sparse-checkout disable`, or, where that was not it, `git update-index --no-skip-worktree --no-assume-unchanged " + e.path + "` and `git restore " + e.path + "`",
		}, false, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil // git status tells
	case err != nil:
		return nil, false, err
	case st.Mode()&fs.ModeSymlink != 0:
		return annexed(e.path, name), false, nil
	case !st.Mode().IsRegular() || filter == "-" || filter == "" && st.Size() > pointerSize:
		return nil, e.unseen && st.Mode().IsRegular(), nil
	}
	head, err := readHead(name)
	return stored(e.path, head), e.unseen, err
}

// pointerSize is more than the size of any pointer (Git LFS: "less than 1024 bytes").
const pointerSize = 1024

func readHead(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return head[:n], err
}

// stored knows contents that stand in place of others by how they begin.
func stored(name string, head []byte) *Lack {
	meant := "; if it is meant to be that text, say `" + name + " -filter` in .gitattributes"
	switch {
	case bytes.HasPrefix(head, []byte("version https://git-lfs.github.com/spec/")), bytes.HasPrefix(head, []byte("version https://hawser.github.com/spec/")):
		return &Lack{
			Path: name, Kind: Stored, Why: "is the pointer of a file that Git LFS keeps, and not the file",
			Next: "install git-lfs, then `git lfs install` and `git lfs pull`; in a workflow, `lfs: true` for actions/checkout" + meant,
		}
	case bytes.HasPrefix(head, []byte("\x00GITCRYPT\x00")):
		return &Lack{Path: name, Kind: Stored, Why: "is encrypted by git-crypt", Next: "`git-crypt unlock`, or keep it out of the package's folder"}
	case bytes.HasPrefix(head, []byte("/annex/objects/")):
		return &Lack{Path: name, Kind: Stored, Why: "is the pointer of a file that git-annex keeps, and not the file", Next: "`git annex get " + name + "`" + meant}
	}
	return nil
}

// annexed knows the links that git-annex has in place of files which are not here.
func annexed(path, name string) *Lack {
	target, err := os.Readlink(name)
	if err != nil || !strings.Contains(filepath.ToSlash(target), ".git/annex/objects/") {
		return nil
	}
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	return &Lack{Path: path, Kind: Stored, Why: "is a link to a file that git-annex keeps, and that is not here", Next: "`git annex get " + path + "`"}
}

// hidden returns those of the files, which git does not look at, that are not what is committed.
func (r *Repo) hidden(ctx context.Context, files []entry) ([]Lack, error) {
	if len(files) == 0 {
		return nil, nil
	}
	var list strings.Builder
	for _, e := range files {
		if strings.ContainsAny(e.path, "\n\"") {
			continue // hash-object takes names by lines
		}
		list.WriteString(e.path + "\n")
	}
	out, err := r.fed(ctx, list.String(), "hash-object", "--stdin-paths")
	if err != nil {
		return nil, failed(err, "comparing files that git was told to pass over")
	}
	hashes := strings.Fields(out)
	var found []Lack
	for _, e := range files {
		if strings.ContainsAny(e.path, "\n\"") || len(hashes) == 0 {
			continue
		}
		if hashes[0] != e.object {
			found = append(found, Lack{
				Path: e.path, Kind: Differs, Why: "is changed, and git was told not to look (assume-unchanged or skip-worktree)",
				Next: "`git update-index --no-assume-unchanged --no-skip-worktree " + e.path + "`, and see `git diff`",
			})
		}
		hashes = hashes[1:]
	}
	return found, nil
}

// LeftOut returns the files of some names, below the folder that Open was given, that a sparse checkout has left out;
// relative to Top.
func (r *Repo) LeftOut(ctx context.Context, names ...string) ([]string, error) {
	entries, err := r.entries(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if !e.unseen || !slices.Contains(names, path.Base(e.path)) || !holds(r.below([]string{"."}), e.path) {
			continue
		}
		if _, err := os.Lstat(filepath.Join(r.Top, filepath.FromSlash(e.path))); errors.Is(err, fs.ErrNotExist) {
			found = append(found, e.path)
		}
	}
	return found, nil
}
