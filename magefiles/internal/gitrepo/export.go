package gitrepo

import (
	"context"
	"os"
	"path/filepath"
)

// Export writes the files of a commit that are in a folder, relative to Top ("." for all), to dir, which has to be empty: as a check-out would have them, at the
// paths that they have below Top, and nothing that is not committed. The repository and its index stay as they are.
func (r *Repo) Export(ctx context.Context, commit, folder, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	index := filepath.Join(dir, ".index")
	defer os.Remove(index)
	git := func(stdin string, args ...string) (string, error) {
		return r.call(ctx, call{args: args, stdin: stdin, set: []string{"GIT_INDEX_FILE=" + index}, settings: asCommitted})
	}
	below := ":(top,literal)" + folder
	if folder == "." {
		below = ":(top)"
	}
	_, err := git("", "read-tree", commit)
	var files string
	if err == nil {
		files, err = git("", "ls-files", "-z", "--", below)
	}
	if err == nil {
		_, err = git(files, "checkout-index", "-z", "--stdin", "--prefix="+dir+"/")
	}
	if err != nil {
		return failed(err, "taking %s out of %s", folder, short(commit))
	}
	return nil
}
