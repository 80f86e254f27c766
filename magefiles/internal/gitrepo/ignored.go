package gitrepo

import (
	"context"
	"strings"
)

// Ignored returns the files that git ignores in folders, which are relative to the folder that Open was given; relative to Top.
func (r *Repo) Ignored(ctx context.Context, folders []string) (ignored []string, err error) {
	args := []string{"ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--full-name", "--"}
	for _, dir := range r.below(folders) {
		if dir == "." {
			args = append(args, ":(top)")
		} else {
			args = append(args, ":(top,literal)"+dir)
		}
	}
	if args[len(args)-1] == "--" {
		return nil, nil
	}
	out, err := r.git(ctx, args...)
	if err != nil {
		return nil, failed(err, "asking git for the ignored files of %s", r.Top)
	}
	for name := range strings.SplitSeq(out, "\x00") {
		if name != "" {
			ignored = append(ignored, name)
		}
	}
	return ignored, nil
}
