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

// Touched is the time of the last commit that changed something below one of the folders, which are relative to the folder that Open was
// given; zero where none did. It is not known where the history of a shallow clone ends before: git takes a commit whose parents it lacks for
// one that has changed every file.
func (r *Repo) Touched(ctx context.Context, dirs ...string) (at time.Time, known bool, err error) {
	args := append([]string{"rev-list", "--max-count=1", "--timestamp", "HEAD", "--"}, r.specs(dirs)...)
	out, err := r.Ask(ctx, args...)
	if err != nil {
		return at, false, git.Failed(err, "reading the history of %s", strings.Join(dirs, ", "))
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
		return at, false, operr.New("run `git fsck`", "reading the history of %s: git said %q", strings.Join(dirs, ", "), out)
	}
	return time.Unix(seconds, 0).UTC(), true, nil
}

// ends reports whether the history of a shallow clone ends at a commit.
func (r *Repo) ends(commit string) (bool, error) {
	text, err := os.ReadFile(filepath.Join(r.Common, "shallow")) // gitrepository-layout(5)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return slices.Contains(strings.Fields(string(text)), commit), err
}

// Differs reports whether two commits differ below one of the folders, which are relative to the folder that Open was given.
func (r *Repo) Differs(ctx context.Context, one, other string, dirs ...string) (bool, error) {
	_, same, err := r.Answer(ctx, append([]string{"diff-tree", "--quiet", "-r", "--no-ext-diff", "--end-of-options", one, other, "--"}, r.specs(dirs)...)...)
	if err != nil {
		return false, git.Failed(err, "comparing %s with %s", git.Short(one), git.Short(other))
	}
	return !same, nil
}

// specs are the folders as git is asked for them.
func (r *Repo) specs(dirs []string) (specs []string) {
	for _, dir := range dirs {
		spec := ":(top)" // everything
		below := path.Join(r.Prefix, dir)
		if below == ".." || strings.HasPrefix(below, "../") {
			continue // it is not in the repository
		}
		if below != "." {
			spec = ":(top,literal)" + below
		}
		specs = append(specs, spec)
	}
	return specs
}
