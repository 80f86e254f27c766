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

// Commit commits the contents of the given files, relative to Top, and nothing else; whatever is staged beside them has to
// be committed or unstaged before. Hooks run, and the commit is signed, as git is configured. When a hook or git refuses,
// the index is what it was before; files are not touched. It returns the commit, also where ctx ended right behind it.
func (r *Repo) Commit(ctx context.Context, paths []string, message string) (string, error) {
	base, err := r.Resolve(ctx, "HEAD")
	if err != nil {
		return "", err
	}
	return r.CommitOn(ctx, base, paths, message)
}

// CommitOn is Commit for who knows the commit that is checked out.
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
	if refused != nil && (err != nil || made == base) { // else git was stopped before it could say so
		return "", r.unstage(before, r.Refused(ctx, refused, "committing"))
	}
	return made, err
}

// harmless are settings under which git, when it commits as the person would, still commits what was staged.
var harmless = []string{"core.safecrlf=false", "core.fsmonitor=false", "submodule.recurse=false", "diff.orderFile=" + os.DevNull}

// stage does not use `git commit -- paths`: with thousands of them git compares each with each.
func (r *Repo) stage(ctx context.Context, paths []string) error {
	entries, err := r.Entries(ctx)
	if err != nil {
		return err
	}
	unseen := PathsOf(entries, func(e Entry) bool { return e.Unseen() && slices.Contains(paths, e.Path) })
	if err := r.lookAt(ctx, unseen, nil); err != nil {
		return git.Failed(err, "having git look at %s", operr.Count(len(unseen), "file"))
	}
	list := strings.Join(paths, "\x00") + "\x00"
	if _, err := r.Feed(ctx, list, "update-index", "--add", "--remove", "-z", "--stdin"); err != nil {
		return git.Failed(err, "staging %s", operr.Count(len(paths), "file"))
	}
	return nil
}

// kept is an index as it was.
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

// unstage puts the index back, with its time, and returns why: git does not look into a file that was changed in the second of its checkout, where
// the index is newer than that.
func (r *Repo) unstage(index kept, why error) error {
	err := atomicfile.WriteFile(r.index, index.data, 0o644)
	if err == nil {
		err = os.Chtimes(r.index, time.Time{}, index.at)
	}
	if err != nil {
		return operr.New("run `git reset`", "%w; and what was staged is still staged: %v", why, err)
	}
	return why
}

// Restore brings files, relative to Top, back to what is committed, in index and work tree. Those that are not in the commit
// are removed.
func (r *Repo) Restore(ctx context.Context, paths []string) error {
	out, err := r.Ask(ctx, "ls-tree", "-r", "--name-only", "-z", "--full-tree", "HEAD")
	if err != nil {
		return git.Failed(err, "reading the commit's files")
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
		return git.Failed(err, "forgetting new files")
	}
	if known.Len() == 0 {
		return nil
	}
	if _, err := r.Call(ctx, git.Call{
		Args:  []string{"--literal-pathspecs", "restore", "--quiet", "--staged", "--worktree", "--pathspec-from-file=-", "--pathspec-file-nul"},
		Stdin: known.String(),
	}); err != nil {
		return git.Failed(err, "bringing files back")
	}
	return nil
}

// Tag is an annotated tag that is to be made.
type Tag struct {
	Name    string
	Message string
	Date    time.Time // zero is the present
}

// Tag makes an annotated tag of a commit, dated by the present; signed where git is so configured.
func (r *Repo) Tag(ctx context.Context, name, commit, message string) error {
	return r.MakeTag(ctx, commit, Tag{Name: name, Message: message})
}

// MakeTag is Tag with a date.
func (r *Repo) MakeTag(ctx context.Context, commit string, t Tag) error {
	if !strings.HasSuffix(t.Message, "\n") {
		signs, err := r.signs(ctx)
		if err != nil {
			return err
		}
		if signs {
			t.Message += "\n" // git puts a signature behind it, and finds it at the beginning of a line only
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
		return r.Refused(ctx, err, "tagging %s", t.Name)
	}
	if words == "" { // a git that could not sign has said so
		return nil
	}
	signs, err := r.signs(ctx)
	if err != nil || !signs {
		return err
	}
	return r.checkSigned(ctx, t.Name, words)
}

// signs reports whether git is told to sign tags.
func (r *Repo) signs(ctx context.Context) (bool, error) {
	sign, _, err := r.Answer(ctx, "config", "--type=bool", "--get", "--", "tag.gpgSign")
	if err != nil {
		return false, git.Failed(err, "asking git whether tags are signed")
	}
	return sign == "true", nil
}

// checkSigned takes a tag away that was to be signed and is not: where ssh-keygen fails, git (of 2.39) says so, makes the tag without a
// signature, and ends with 0.
func (r *Repo) checkSigned(ctx context.Context, tag, words string) error {
	object, err := r.Ask(ctx, "cat-file", "--end-of-options", "tag", "refs/tags/"+tag)
	if err != nil {
		return git.Failed(err, "reading the tag %s", tag)
	}
	if strings.Contains(object, "\n-----BEGIN ") {
		return nil
	}
	if err := r.DeleteTag(context.WithoutCancel(ctx), tag); err != nil {
		return err
	}
	return operr.New("see what git says above; and give it a key that it can sign with, or a terminal to ask for its passphrase at", "tagging %s: git could not sign it (tag.gpgSign)", tag).WithDetail(words)
}
