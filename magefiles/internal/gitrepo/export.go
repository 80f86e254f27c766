package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// ExportSome writes those files of a commit to dir, which need not be there, that are wanted, by their path relative to Top: as git would
// check them out, whatever the work tree and the index are like, and by no setting of the person, with the modes that the umask leaves, and
// without submodules. Other files are not read: neither a large repository nor one whose files lie elsewhere
// takes its time.
func (r *Repo) ExportSome(ctx context.Context, commit, dir string, want func(path string) bool) error {
	_, err := r.ExportFolder(ctx, commit, ".", dir, want)
	return err
}

// ExportFolder writes the files in a folder that are wanted; nil wants all. The submodules there are left to the caller.
func (r *Repo) ExportFolder(ctx context.Context, commit, folder, dir string, want func(path string) bool) (links []Entry, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	aside, err := os.MkdirTemp(filepath.Dir(dir), ".index-") // a file of any name may be exported to dir
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(aside)
	ask := func(stdin string, args ...string) (string, error) {
		return r.Call(ctx, git.Call{Args: args, Stdin: stdin, Set: []string{"GIT_INDEX_FILE=" + filepath.Join(aside, "index")}, Settings: git.AsCommitted})
	}
	below := ":(top,literal)" + folder
	if folder == "." {
		below = ":(top)"
	}
	_, err = ask("", "read-tree", "--end-of-options", commit)
	var files string
	if err == nil {
		files, err = ask("", "ls-files", "--stage", "-z", "--", below)
	}
	if err == nil {
		files, links = chosen(files, want)
		_, err = ask(files, "checkout-index", "-z", "--stdin", "--prefix="+dir+"/")
	}
	if err != nil {
		return nil, git.Failed(err, "taking %s out of %s", folder, git.Short(commit))
	}
	return links, nil
}

// chosen are the names of the wanted ones of files that git lists with their stage, each with a NUL behind it, and the submodules
// among them.
func chosen(listed string, want func(name string) bool) (names string, links []Entry) {
	var kept strings.Builder
	for line := range strings.SplitSeq(listed, "\x00") {
		head, name, ok := strings.Cut(line, "\t")
		f := strings.Fields(head)
		if !ok || len(f) != 3 || want != nil && !want(name) {
			continue
		}
		kept.WriteString(name + "\x00")
		if f[0] == LinkMode {
			links = append(links, Entry{Path: name, Mode: f[0], Object: f[1]})
		}
	}
	return kept.String(), links
}
