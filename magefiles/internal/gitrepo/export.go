package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// Export writes the files of a commit that are in a folder, relative to Top ("." for all), to dir, which has to be empty: as a check-out would have them, at the
// paths that they have below Top, and nothing that is not committed. The repository and its index stay as they are.
func (r *Repo) Export(ctx context.Context, commit, folder, dir string) error {
	return r.export(ctx, commit, folder, dir, nil)
}

// ExportSome is Export for those files of a commit alone that are wanted, by their path relative to Top. Other files are not
// read: neither a large repository nor one whose files lie elsewhere takes its time.
func (r *Repo) ExportSome(ctx context.Context, commit, dir string, want func(path string) bool) error {
	return r.export(ctx, commit, ".", dir, want)
}

// export writes the files in a folder that are wanted; nil wants all.
func (r *Repo) export(ctx context.Context, commit, folder, dir string, want func(path string) bool) error {
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
	_, err := git("", "read-tree", "--end-of-options", commit)
	var files string
	if err == nil {
		files, err = git("", "ls-files", "-z", "--", below)
	}
	if want != nil {
		files = filter(files, want)
	}
	if err == nil {
		_, err = git(files, "checkout-index", "-z", "--stdin", "--prefix="+dir+"/")
	}
	if err != nil {
		return failed(err, "taking %s out of %s", folder, short(commit))
	}
	return nil
}

// filter keeps the wanted ones of names that each end with a NUL.
func filter(names string, want func(name string) bool) string {
	var kept strings.Builder
	for name := range strings.SplitSeq(names, "\x00") {
		if name != "" && want(name) {
			kept.WriteString(name + "\x00")
		}
	}
	return kept.String()
}
