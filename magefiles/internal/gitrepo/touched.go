package gitrepo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Touched returns the time of the last commit that changed a file below one of the folders, which are relative to Open's dir. It is zero if there is
// no such commit. `known` is false if a shallow clone's history ends too early, because git treats a commit whose parents are missing as if it had
// added every file.
func (r *Repo) Touched(ctx context.Context, dirs ...string) (at time.Time, known bool, err error) {
	args := append([]string{"rev-list", "--max-count=1", "--timestamp", "HEAD", "--"}, r.specs(dirs)...)
	out, err := r.Ask(ctx, args...)
	if err != nil {
		return at, false, git.Failure(err, "reading the history of %s", strings.Join(dirs, ", "))
	}
	if out == "" {
		return at, true, nil
	}
	word, commit, _ := strings.Cut(out, " ")
	ends, err := r.ends(commit)
	if err != nil || ends {
		return at, false, err
	}
	seconds, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return at, false, operr.New("run `git fsck`", "cannot read the history of %s: git answered %q", strings.Join(dirs, ", "), out)
	}
	return time.Unix(seconds, 0).UTC(), true, nil
}

// `ends` reports whether a shallow clone's history ends at a commit.
func (r *Repo) ends(commit string) (bool, error) {
	text, err := os.ReadFile(filepath.Join(r.Common, "shallow")) // gitrepository-layout(5)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return slices.Contains(strings.Fields(string(text)), commit), err
}

// Differs reports whether two commits differ below one of the folders, which are relative to Open's dir.
func (r *Repo) Differs(ctx context.Context, one, other string, dirs ...string) (bool, error) {
	_, same, err := r.Answer(ctx, append([]string{"diff-tree", "--quiet", "-r", "--no-ext-diff", "--end-of-options", one, other, "--"}, r.specs(dirs)...)...)
	if err != nil {
		return false, git.Failure(err, "comparing %s with %s", git.Short(one), git.Short(other))
	}
	return !same, nil
}

// specs returns git pathspecs for the folders.
func (r *Repo) specs(dirs []string) (specs []string) {
	for _, dir := range dirs {
		spec := ":(top)" // the whole repository
		below := path.Join(r.Prefix, dir)
		if below == ".." || strings.HasPrefix(below, "../") {
			continue // outside the repository
		}
		if below != "." {
			spec = ":(top,literal)" + below
		}
		specs = append(specs, spec)
	}
	return specs
}
