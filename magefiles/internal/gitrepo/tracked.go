package gitrepo

import (
	"context"
	"path"
	"strings"
)

// Tracked returns what git has in its index below a folder of the one that Open was given ("" for all of it), with paths
// relative to that one: files, links and submodules, there or not.
func (r *Repo) Tracked(ctx context.Context, dir string) ([]string, error) {
	entries, err := r.entries(ctx)
	if err != nil {
		return nil, err
	}
	top := ""
	if full := path.Join(r.Prefix, dir); full != "" && full != "." {
		top = full + "/"
	}
	prefix := strings.TrimPrefix(r.Prefix+"/", "/")
	var below []string
	for _, e := range entries {
		if strings.HasPrefix(e.path, top) && strings.HasPrefix(e.path, prefix) {
			below = append(below, strings.TrimPrefix(e.path, prefix))
		}
	}
	return below, nil
}
