package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// ExportSome writes the wanted files of a commit to `dir`, which need not exist. `want` gets paths relative to Top. The files have the contents that
// git would check out, but are not affected by the work tree, the index or the user's settings. Their modes depend on the umask. Submodules are
// skipped. Other files are not read, so the size of the repository does not matter.
func (r *Repo) ExportSome(ctx context.Context, commit, dir string, want func(path string) bool) error {
	_, err := r.ExportFolder(ctx, commit, ".", dir, want)
	return err
}

// ExportFolder writes the wanted files of a folder, or all files if want is nil. It does not write submodules, but returns them.
func (r *Repo) ExportFolder(ctx context.Context, commit, folder, dir string, want func(path string) bool) (links []Entry, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	aside, err := os.MkdirTemp(filepath.Dir(dir), ".index-") // not inside dir, where an exported file could have the same name
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
		return nil, git.Failure(err, "extracting %s from %s", folder, git.Short(commit))
	}
	return links, nil
}

// chosen selects the wanted names from the output of `git ls-files --stage -z`. It returns them, each followed by a NUL, and the submodules among
// them.
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
