package lacking

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

func findFiles(ctx context.Context, r *gitrepo.Repo, files []gitrepo.Entry) ([]Lack, error) {
	filters, err := filters(ctx, r, files)
	if err != nil {
		return nil, err
	}
	var found []Lack
	var compare []gitrepo.Entry
	for _, e := range files {
		l, look, err := inspect(r, e, filters[e.Path])
		switch {
		case err != nil:
			return nil, operr.New("make the file readable", "checking the file %s: %w", e.Path, err)
		case l != nil:
			found = append(found, *l)
		case look:
			compare = append(compare, e)
		}
	}
	differ, err := unseen(ctx, r, compare)
	return append(found, differ...), err
}

// filters returns the filter attributes of files, keyed by path: "" if unspecified, "-" if unset.
func filters(ctx context.Context, r *gitrepo.Repo, files []gitrepo.Entry) (map[string]string, error) {
	filters := make(map[string]string)
	var list strings.Builder
	for _, e := range files {
		list.WriteString(e.Path + "\x00")
	}
	if len(files) == 0 {
		return filters, nil
	}
	out, err := r.Feed(ctx, list.String(), "check-attr", "-z", "--stdin", "filter")
	if err != nil {
		return nil, git.Failure(err, "asking git for the filters of files")
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

// inspect checks one file. `look` reports whether the caller must compare the content with the committed content.
func inspect(r *gitrepo.Repo, e gitrepo.Entry, filter string) (l *Lack, look bool, err error) {
	name := filepath.Join(r.Top, filepath.FromSlash(e.Path))
	st, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && e.Unseen():
		return &Lack{
			Path: e.Path,
			Kind: Missing,
			Why:  "is left out of this work tree (a sparse checkout)",
			Next: "`git sparse-checkout disable`, or, if that does not help, `git update-index --no-skip-worktree --no-assume-unchanged " + operr.Word(e.Path) + "` and `git restore " + operr.Word(e.Path) + "`",
		}, false, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil // reported by git status
	case err != nil:
		return nil, false, err
	case st.Mode()&fs.ModeSymlink != 0:
		return recognizeAnnexLink(e.Path, name), false, nil
	case !st.Mode().IsRegular() || filter == "-" || filter == "" && (st.Size() < pointerLeast || st.Size() > pointerMost):
		return nil, e.Unseen() && st.Mode().IsRegular(), nil
	}
	head, err := readHead(name)
	return recognizePlaceholder(e.Path, head), e.Unseen(), err
}

// pointerLeast and pointerMost limit the size of a pointer file in bytes. Git LFS specifies "less than 1024".
const pointerLeast, pointerMost = 40, 1024

func readHead(name string) ([]byte, error) {
	f, err := beneath.OpenFile(name)
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

// recognizePlaceholder recognizes the stored form of a file, such as an LFS pointer, by its first bytes.
func recognizePlaceholder(name string, head []byte) *Lack {
	meant := "; if the committed file really has this text, add `" + name + " -filter` to .gitattributes"
	switch {
	case bytes.HasPrefix(head, []byte("version https://git-lfs.github.com/spec/")), bytes.HasPrefix(head, []byte("version https://hawser.github.com/spec/")):
		return &Lack{
			Path: name,
			Kind: Stored,
			Why:  "is only a pointer to a file in Git LFS",
			Next: "install git-lfs, then run `git lfs install` and `git lfs pull`; in a workflow, set `lfs: true` for actions/checkout" + meant,
		}
	case bytes.HasPrefix(head, []byte("\x00GITCRYPT\x00")):
		return &Lack{Path: name, Kind: Stored, Why: "is encrypted by git-crypt", Next: "`git-crypt unlock`, or keep the file out of the package's folder"}
	case bytes.HasPrefix(head, []byte("/annex/objects/")):
		return &Lack{Path: name, Kind: Stored, Why: "is only a pointer to a file in git-annex", Next: "`git annex get " + operr.Word(name) + "`" + meant}
	}
	return nil
}

// recognizeAnnexLink recognizes a symlink to a git-annex file that is not in this clone.
func recognizeAnnexLink(path, name string) *Lack {
	target, err := os.Readlink(name)
	if err != nil || !strings.Contains(filepath.ToSlash(target), ".git/annex/objects/") {
		return nil
	}
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	return &Lack{Path: path, Kind: Stored, Why: "is a link to a file in git-annex, which is not in this clone", Next: "`git annex get " + operr.Word(path) + "`"}
}

// unseen returns the given files that differ from the committed ones. These are files that git was told to ignore.
func unseen(ctx context.Context, r *gitrepo.Repo, files []gitrepo.Entry) (found []Lack, err error) {
	edited, err := r.Edited(ctx, gitrepo.PathsOf(files, func(gitrepo.Entry) bool { return true }))
	for _, p := range edited {
		found = append(found, Lack{
			Path: p,
			Kind: Differs,
			Why:  gitrepo.Unlooked,
			Next: gitrepo.LookAgain(p),
		})
	}
	return found, err
}
