package gitrepo

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Export writes the files that a commit has in a folder, relative to Top, to dir, which need not be there: as git would check
// them out, whatever the work tree and the index are like, and by no setting of the person. Paths stay relative to Top.
//
// What is written is the commit and nothing else: a submodule has the files of the commit that is recorded for it, or is
// refused, and the modes are those that git knows, 644 and 755, whatever the umask.
func (r *Repo) Export(ctx context.Context, commit, folder, dir string) error {
	if err := r.exportAll(ctx, commit, folder, dir, ""); err != nil {
		return err
	}
	return plainModes(dir)
}

// exportAll exports a repository and its submodules. prefix is its path from the outermost one.
func (r *Repo) exportAll(ctx context.Context, commit, folder, dir, prefix string) error {
	links, err := r.export(ctx, commit, folder, dir, nil)
	if err != nil {
		return err
	}
	for _, link := range links {
		sub := &Repo{Top: filepath.Join(r.Top, filepath.FromSlash(link.path)), runner: r.runner}
		if err := sub.has(ctx, link.object, prefix+link.path); err != nil {
			return err
		}
		if err := sub.exportAll(ctx, link.object, ".", filepath.Join(dir, filepath.FromSlash(link.path)), prefix+link.path+"/"); err != nil {
			return err
		}
	}
	return nil
}

// has refuses a submodule that is not checked out, or whose repository lacks the commit that is recorded for it.
func (r *Repo) has(ctx context.Context, commit, name string) error {
	next := "`git submodule update --init --recursive " + name + "`; in a workflow, `submodules: recursive` for actions/checkout"
	if !r.isCheckedOut(".") {
		return operr.New(next, "%s is a submodule, and its files are not here", name)
	}
	kind, err := r.call(ctx, call{args: []string{"cat-file", "--batch-check"}, stdin: commit + "\n", set: offline})
	if err != nil {
		return failed(err, "looking for the commit of the submodule %s", name)
	}
	if !strings.Contains(kind, " commit ") {
		return operr.New(next, "%s is a submodule, and the commit that is recorded for it, %s, is not here", name, short(commit))
	}
	return nil
}

// plainModes gives files and folders the modes that git knows. What is no file and no folder has none.
func plainModes(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() || info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		if info.Mode().Perm() == mode {
			return nil
		}
		return os.Chmod(path, mode)
	})
}

// ExportSome is Export for those files of a commit alone that are wanted, by their path relative to Top, with the modes that the
// umask leaves, and without submodules. Other files are not read: neither a large repository nor one whose files lie elsewhere
// takes its time.
func (r *Repo) ExportSome(ctx context.Context, commit, dir string, want func(path string) bool) error {
	_, err := r.export(ctx, commit, ".", dir, want)
	return err
}

// export writes the files in a folder that are wanted; nil wants all. The submodules there are left to the caller.
func (r *Repo) export(ctx context.Context, commit, folder, dir string, want func(path string) bool) (links []entry, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	aside, err := os.MkdirTemp(filepath.Dir(dir), ".index-") // a file of any name may be exported to dir
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(aside)
	git := func(stdin string, args ...string) (string, error) {
		return r.call(ctx, call{args: args, stdin: stdin, set: []string{"GIT_INDEX_FILE=" + filepath.Join(aside, "index")}, settings: asCommitted})
	}
	below := ":(top,literal)" + folder
	if folder == "." {
		below = ":(top)"
	}
	_, err = git("", "read-tree", "--end-of-options", commit)
	var files string
	if err == nil {
		files, err = git("", "ls-files", "--stage", "-z", "--", below)
	}
	if err == nil {
		files, links = chosen(files, want)
		_, err = git(files, "checkout-index", "-z", "--stdin", "--prefix="+dir+"/")
	}
	if err != nil {
		return nil, failed(err, "taking %s out of %s", folder, short(commit))
	}
	return links, nil
}

// chosen are the names of the wanted ones of files that git lists with their stage, each with a NUL behind it, and the submodules
// among them.
func chosen(listed string, want func(name string) bool) (names string, links []entry) {
	var kept strings.Builder
	for line := range strings.SplitSeq(listed, "\x00") {
		head, name, ok := strings.Cut(line, "\t")
		f := strings.Fields(head)
		if !ok || len(f) != 3 || want != nil && !want(name) {
			continue
		}
		kept.WriteString(name + "\x00")
		if f[0] == linkMode {
			links = append(links, entry{path: name, mode: f[0], object: f[1]})
		}
	}
	return kept.String(), links
}
