package gitrepo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Commit commits the given files, relative to Top, and nothing else. The caller must commit or unstage other staged changes first. Hooks run, and the
// commit is signed, according to git's configuration. If git or a hook refuses, Commit restores the index and does not touch the files. It returns
// the commit even if ctx ended right after git made it.
func (r *Repo) Commit(ctx context.Context, paths []string, message string) (string, error) {
	base, err := r.Resolve(ctx, "HEAD")
	if err != nil {
		return "", err
	}
	return r.CommitOn(ctx, base, paths, message)
}

// CommitOn is like Commit, for a caller that already has the hash of HEAD.
func (r *Repo) CommitOn(ctx context.Context, base string, paths []string, message string) (string, error) {
	before, err := readIndex(r.index)
	if err != nil {
		return "", operr.New("commit the workspace first", "reading git's index: %w", err)
	}
	if err := r.stage(ctx, paths); err != nil {
		return "", r.unstage(before, err)
	}
	_, refused := r.Call(ctx, git.Call{
		Args:     []string{"commit", "--quiet", "--cleanup=verbatim", "--no-verbose", "--file=-"},
		Stdin:    message,
		Own:      true,
		Asks:     true,
		Settings: harmless,
	})
	made, err := r.Resolve(context.WithoutCancel(ctx), "HEAD")
	if refused != nil && (err != nil || made == base) { // otherwise git made the commit, but was stopped before it exited
		return "", r.unstage(before, r.Refusal(ctx, refused, "committing"))
	}
	return made, err
}

// harmless lists settings that override the user's, so that git commits exactly what was staged.
var harmless = []string{"core.safecrlf=false", "core.fsmonitor=false", "submodule.recurse=false", "diff.orderFile=" + os.DevNull}

// stage adds files to the index. `git commit -- paths` would do so too, but its run time is quadratic in the number of paths.
func (r *Repo) stage(ctx context.Context, paths []string) error {
	entries, err := r.Entries(ctx)
	if err != nil {
		return err
	}
	unseen := PathsOf(entries, func(e Entry) bool { return e.Unseen() && slices.Contains(paths, e.Path) })
	if err := r.lookAt(ctx, unseen, nil); err != nil {
		return git.Failure(err, "asking git to look at %s", operr.Count(len(unseen), "file"))
	}
	list := strings.Join(paths, "\x00") + "\x00"
	if _, err := r.Feed(ctx, list, "update-index", "--add", "--remove", "-z", "--stdin"); err != nil {
		return git.Failure(err, "staging %s", operr.Count(len(paths), "file"))
	}
	return nil
}

// `kept` holds the content and the modification time of an earlier index.
type kept struct {
	data []byte
	at   time.Time
}

func readIndex(path string) (kept, error) {
	info, err := os.Stat(path)
	if err != nil {
		return kept{}, err
	}
	data, err := beneath.Read(path)
	return kept{data: data, at: info.ModTime()}, err
}

// unstage restores the index and its modification time, and returns the error `why`. The time matters: if the index were newer, git would not notice
// changes to a file that were made in the same second as its checkout.
func (r *Repo) unstage(index kept, why error) error {
	err := atomicfile.WriteFile(r.index, index.data, 0o644)
	if err == nil {
		err = os.Chtimes(r.index, time.Time{}, index.at)
	}
	if err != nil {
		return operr.New("run `git reset`", "%w; then the staged files could not be unstaged: %v", why, err)
	}
	return why
}

// Restore restores files, relative to Top, from the last commit, in the index and in the work tree. It removes files that the commit does not
// contain.
func (r *Repo) Restore(ctx context.Context, paths []string) error {
	out, err := r.Ask(ctx, "ls-tree", "-r", "--name-only", "-z", "--full-tree", "HEAD")
	if err != nil {
		return git.Failure(err, "reading the commit's files")
	}
	committed := map[string]bool{}
	for name := range strings.SplitSeq(out, "\x00") {
		committed[name] = true
	}
	var known, added strings.Builder
	for _, p := range paths {
		if committed[p] {
			known.WriteString(p + "\x00")
			continue
		}
		added.WriteString(p + "\x00")
		if err := os.Remove(filepath.Join(r.Top, filepath.FromSlash(p))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if _, err := r.Feed(ctx, added.String(), "update-index", "--force-remove", "-z", "--stdin"); err != nil {
		return git.Failure(err, "unstaging new files")
	}
	if known.Len() == 0 {
		return nil
	}
	if _, err := r.Call(ctx, git.Call{
		Args:  []string{"--literal-pathspecs", "restore", "--quiet", "--staged", "--worktree", "--pathspec-from-file=-", "--pathspec-file-nul"},
		Stdin: known.String(),
	}); err != nil {
		return git.Failure(err, "restoring files")
	}
	return nil
}

// Tag describes an annotated tag to make.
type Tag struct {
	Name    string
	Message string
	Date    time.Time // zero means now
}

// Tag makes an annotated tag for a commit, dated now. It is signed if git is configured to sign tags.
func (r *Repo) Tag(ctx context.Context, name, commit, message string) error {
	return r.MakeTag(ctx, commit, Tag{Name: name, Message: message})
}

// MakeTag is like Tag, but the caller chooses the date.
func (r *Repo) MakeTag(ctx context.Context, commit string, t Tag) error {
	if !strings.HasSuffix(t.Message, "\n") {
		signs, err := r.signs(ctx)
		if err != nil {
			return err
		}
		if signs {
			t.Message += "\n" // git appends the signature to the message, and recognizes it only at the beginning of a line
		}
	}
	var words string
	_, err := r.Call(ctx, git.Call{
		Args:  []string{"tag", "--annotate", "--cleanup=verbatim", "--file=-", "--", t.Name, commit},
		Stdin: t.Message,
		Own:   true,
		Asks:  true,
		Set:   r.Dated(t.Date),
		Words: &words,
	})
	if err != nil {
		return r.Refusal(ctx, err, "tagging %s", t.Name)
	}
	if words == "" { // git prints an error if it cannot sign
		return nil
	}
	signs, err := r.signs(ctx)
	if err != nil || !signs {
		return err
	}
	return r.checkSigned(ctx, t.Name, words)
}

// signs reports whether git is configured to sign tags.
func (r *Repo) signs(ctx context.Context) (bool, error) {
	sign, _, err := r.Answer(ctx, "config", "--type=bool", "--get", "--", "tag.gpgSign")
	if err != nil {
		return false, git.Failure(err, "asking git whether tags are signed")
	}
	return sign == "true", nil
}

// checkSigned deletes a tag that should be signed but is not. If ssh-keygen fails, git 2.39 prints an error, makes the tag without a signature, and
// exits with status 0.
func (r *Repo) checkSigned(ctx context.Context, tag, words string) error {
	object, err := r.Ask(ctx, "cat-file", "--end-of-options", "tag", "refs/tags/"+tag)
	if err != nil {
		return git.Failure(err, "reading the tag %s", tag)
	}
	if strings.Contains(object, "\n-----BEGIN ") {
		return nil
	}
	if err := r.DeleteTag(context.WithoutCancel(ctx), tag); err != nil {
		return err
	}
	return operr.New("read git's message above; then give git a key that can sign, or run this command in a terminal, where git can ask for the passphrase", "git could not sign the tag %s, but tag.gpgSign requires a signature", tag).WithDetail(words)
}
