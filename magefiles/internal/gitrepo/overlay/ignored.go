package overlay

import (
	"context"
	"path"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// Ignored returns the ignored files, relative to Top, in the given folders, which are relative to Open's dir. It omits the files in pixi's own
// folders.
func Ignored(ctx context.Context, r *gitrepo.Repo, folders []string) (ignored []string, err error) {
	args := []string{"ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--full-name", "--"}
	for _, dir := range r.FromTop(folders) {
		if dir == "." {
			args = append(args, ":(top)")
		} else {
			args = append(args, ":(top,literal)"+dir)
		}
	}
	if args[len(args)-1] == "--" {
		return nil, nil
	}
	out, err := r.Ask(ctx, append(args, ":(top,exclude,glob)**/.pixi/**")...)
	if err != nil {
		return nil, git.Failure(err, "asking git for the ignored files of %s", r.Top)
	}
	for name := range strings.SplitSeq(out, "\x00") {
		if name != "" {
			ignored = append(ignored, name)
		}
	}
	return ignored, nil
}

// Below returns the files in a folder: first the untracked ones, ignored or not, then the tracked ones. All paths are relative to Open's dir.
func Below(ctx context.Context, r *gitrepo.Repo, folder string) (unknown, known []string, err error) {
	out, err := r.Ask(ctx, "ls-files", "-t", "--cached", "--others", "-z", "--full-name", "--", ":(top,literal)"+path.Join(r.Prefix, folder))
	if err != nil {
		return nil, nil, git.Failure(err, "listing the files of %s", folder)
	}
	for line := range strings.SplitSeq(out, "\x00") {
		tag, name, ok := strings.Cut(line, " ")
		name = strings.TrimPrefix(strings.TrimPrefix(name, r.Prefix), "/")
		switch {
		case !ok:
		case tag == "?":
			unknown = append(unknown, name)
		default:
			known = append(known, name)
		}
	}
	return unknown, known, nil
}
