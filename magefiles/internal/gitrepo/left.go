package gitrepo

import (
	"context"
	"path"
	"strings"
)

// Left returns the paths, relative to Top, that differ from HEAD or that git does not know, and those that it ignores in
// folders that packages are packed from, which are relative to the folder that Open was given.
func (r *Repo) Left(ctx context.Context, packed []string) ([]string, error) {
	left, err := r.Changes(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{"ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--full-name", "--"}
	for _, dir := range r.below(packed) {
		if dir == "." {
			args = append(args, ":(top)")
		} else {
			args = append(args, ":(top,literal)"+dir)
		}
	}
	if args[len(args)-1] == "--" {
		return left, nil
	}
	out, err := r.git(ctx, args...)
	if err != nil {
		return nil, failed(err, "asking git for the ignored files of %s", r.Top)
	}
	for name := range strings.SplitSeq(out, "\x00") {
		if name != "" && !strings.HasPrefix(name, path.Join(r.Prefix, "output")+"/") {
			left = append(left, name)
		}
	}
	return left, nil
}
