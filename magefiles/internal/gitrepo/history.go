package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Tags returns the commit of every tag, by the tag's name: 40 or 64 hex digits. A tag of something else is left out.
func (r *Repo) Tags(ctx context.Context) (map[string]string, error) { return r.tags(ctx) }

// MergedTags is Tags for those that HEAD contains.
func (r *Repo) MergedTags(ctx context.Context) (map[string]string, error) {
	return r.tags(ctx, "--merged=HEAD")
}

// Tags asks for the tags of the repository that a folder is in, once they are wanted.
type Tags struct {
	Runner command.Runner
	Dir    string
}

// MergedTags is that of the repository. There are none outside of git, and before the first commit.
func (t Tags) MergedTags(ctx context.Context) (map[string]string, error) {
	repo, err := Open(ctx, t.Runner, t.Dir)
	switch {
	case errors.Is(err, ErrOutside):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if _, err := repo.Resolve(ctx, "HEAD"); err != nil {
		return nil, context.Cause(ctx)
	}
	return repo.MergedTags(ctx)
}

func (r *Repo) tags(ctx context.Context, more ...string) (map[string]string, error) {
	_, commits, err := r.readTags(ctx, more...)
	return commits, err
}

// readTags returns the names of all tags, and the commits of those that name one.
func (r *Repo) readTags(ctx context.Context, more ...string) (names []string, commits map[string]string, err error) {
	const format = "--format=%(refname:strip=2) %(objecttype) %(objectname) %(*objecttype) %(*objectname)"
	out, err := r.Ask(ctx, append([]string{"for-each-ref", format, "refs/tags"}, more...)...)
	if err != nil {
		return nil, nil, git.Failed(err, "asking git for the tags of %s", r.Top)
	}
	commits = map[string]string{}
	var nested []string
	for line := range strings.SplitSeq(out, "\n") {
		f := strings.Fields(line)
		if len(f) > 0 {
			names = append(names, f[0])
		}
		switch {
		case len(f) == 5 && f[3] == "tag":
			nested = append(nested, f[0])
		case len(f) == 5 && f[3] == "commit":
			commits[f[0]] = f[4]
		case len(f) == 3 && f[1] == "commit":
			commits[f[0]] = f[2]
		}
	}
	return names, commits, r.peel(ctx, nested, commits)
}

// peel puts the commits into tags of those tags that name another tag: before git 2.45, for-each-ref follows one of them.
func (r *Repo) peel(ctx context.Context, names []string, tags map[string]string) error {
	if names == nil {
		return nil
	}
	out, err := r.Feed(ctx, "refs/tags/"+strings.Join(names, "^{commit}\nrefs/tags/")+"^{commit}\n", "cat-file", "--batch-check")
	if err != nil {
		return git.Failed(err, "asking git what tags of tags name in %s", r.Top)
	}
	for i, line := range strings.Split(out, "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[1] == "commit" && i < len(names) {
			tags[names[i]] = f[0]
		}
	}
	return nil
}

// Commit is what the history says of one commit.
type Commit struct {
	Hash    string // 40 or 64 hex digits
	Parents []string
	Subject string   // the first line: git itself would join it with what follows without an empty line
	Body    string   // what follows the subject, footers included
	Paths   []string // of the files it changed, relative to Top; those of a merge are what it brought to its first parent
}

// Log returns the commits that HEAD contains and the commit or tag since does not, the newest first; without merges,
// which change nothing by themselves. since may be "": then all are returned.
func (r *Repo) Log(ctx context.Context, since string) (commits []Commit, err error) {
	err = r.walk(ctx, since, func(c Commit) { commits = append(commits, c) }, "--no-merges")
	return commits, err
}

// EachCommit gives visit the commits that HEAD contains and the commit or tag since does not, merges among them, each before its
// parents and else the newest first. since may be "": then it is all. No more than one commit is kept: a history may be long.
func (r *Repo) EachCommit(ctx context.Context, since string, visit func(Commit)) error {
	return r.walk(ctx, since, visit, "--date-order")
}

func (r *Repo) walk(ctx context.Context, since string, visit func(Commit), more ...string) error {
	shallow, err := r.Ask(ctx, "rev-parse", "--is-shallow-repository")
	if err == nil && shallow == "true" {
		return operr.New("run `git fetch --unshallow --tags`", "the clone %s is shallow: its history is not all there", r.Top)
	}
	// The history of a long life is read once, by a command for people that is told all that a setting could say: `rev-list` and `diff-tree`
	// would each read it.
	args := slices.Concat([]string{"log", "--root", "--no-relative", "--no-decorate", "--no-notes"}, told, more, []string{"--end-of-options", "HEAD"})
	if since != "" {
		args = append(args, "^"+since)
	}
	if err == nil {
		err = r.take(ctx, git.Call{Args: append(args, "--")}, visit)
	}
	if err != nil {
		return git.Failed(err, "reading the history of %s", r.Top)
	}
	return nil
}

// commitMark begins a commit in the output of git: no message holds a NUL, and no path is this.
const commitMark = "//"

// headWords are the words between the mark of a commit and its paths.
const headWords = 3

// logReader takes what git says of commits apart, as it comes.
type logReader struct {
	visit func(Commit)
	rest  []byte   // of a word that has not ended
	head  []string // of the commit that has begun
	begun bool
	paths []string
}

// Write implements io.Writer.
func (l *logReader) Write(p []byte) (int, error) {
	n := len(p)
	for {
		i := bytes.IndexByte(p, 0)
		if i < 0 {
			l.rest = append(l.rest, p...)
			return n, nil
		}
		l.rest = append(l.rest, p[:i]...)
		l.word(string(l.rest))
		l.rest, p = l.rest[:0], p[i+1:]
	}
}

func (l *logReader) word(word string) {
	if l.begun && len(l.head) < headWords {
		l.head = append(l.head, word)
		return
	}
	switch word = strings.Trim(word, "\n"); word {
	case commitMark:
		l.end()
		l.begun = true
	case "":
	default:
		l.paths = append(l.paths, word)
	}
}

// end gives away the commit that has begun.
func (l *logReader) end() {
	if l.begun && len(l.head) == headWords {
		subject, body, _ := strings.Cut(strings.TrimSpace(l.head[2]), "\n")
		l.visit(Commit{
			Hash:    l.head[0],
			Parents: strings.Fields(l.head[1]),
			Subject: strings.Clone(strings.TrimSpace(subject)), // whoever keeps it does not keep the body with it
			Body:    strings.TrimSpace(body),
			Paths:   l.paths,
		})
	}
	l.begun, l.head, l.paths = false, nil, nil
}

// Tree returns the hash of a commit's tree.
func (r *Repo) Tree(ctx context.Context, commit string) (string, error) {
	out, err := r.Ask(ctx, "rev-parse", "--verify", "--end-of-options", commit+"^{tree}")
	if err != nil {
		return "", git.Failed(err, "looking for the tree of %s", git.Short(commit))
	}
	return strings.TrimSpace(out), nil
}

// Resolve returns the commit that a name, such as HEAD^ or a tag, stands for. ErrNoCommit is in the chain of the error where
// it stands for none.
func (r *Repo) Resolve(ctx context.Context, rev string) (string, error) {
	out, there, err := r.Answer(ctx, "rev-parse", "--quiet", "--verify", "--end-of-options", rev+"^{commit}")
	switch {
	case err != nil:
		return "", git.Failed(err, "looking for the commit %s in %s", rev, r.Top)
	case !there:
		return "", operr.New("commit the workspace first, or name a commit that is there", "%s has no commit %s%w", r.Top, rev, git.Silent(ErrNoCommit))
	}
	return out, nil
}

// MadeOn returns the first of the commits that were made on base and that lead to head, along first parents and without
// merges, that changed each of some files, relative to Top; "" where there is none.
func (r *Repo) MadeOn(ctx context.Context, base, head string, paths []string) (string, error) {
	out, err := r.Ask(ctx, "rev-list", "--reverse", "--first-parent", "--no-merges", "--end-of-options", base+".."+head, "--")
	made := ""
	if err == nil && out != "" {
		err = r.changes(ctx, out, func(c Commit) {
			if made == "" && !slices.ContainsFunc(paths, func(p string) bool { return !slices.Contains(c.Paths, p) }) {
				made = c.Hash
			}
		})
	}
	if err != nil {
		return "", git.Failed(err, "reading the history from %s to %s", git.Short(base), git.Short(head))
	}
	return made, nil
}

// told are the options under which git says of a commit what a logReader takes.
var told = []string{
	"-r", "-z", "--name-only", "--no-renames", "--no-show-signature", "--diff-merges=first-parent", "--encoding=UTF-8",
	"--format=" + commitMark + "%x00%H%x00%P%x00%B%x00",
}

// changes gives visit what git says of commits, which stand in a line each.
func (r *Repo) changes(ctx context.Context, commits string, visit func(Commit)) error {
	return r.take(ctx, git.Call{Args: slices.Concat([]string{"diff-tree", "--stdin", "--always", "--root"}, told), Stdin: commits + "\n"}, visit)
}

// take gives visit the commits that a call says, as they come.
func (r *Repo) take(ctx context.Context, c git.Call, visit func(Commit)) error {
	l := &logReader{visit: visit}
	c.Set, c.Out = []string{"GIT_FLUSH=0"}, l // else each commit is a write of its own, which costs as much as reading it
	_, err := r.Call(ctx, c)
	if len(l.rest) > 0 {
		l.word(string(l.rest))
	}
	l.end()
	return err
}

// Versions returns what a file was before each of some commits, and after it, by its path from Top. One that was not there has no bytes.
func (r *Repo) Versions(ctx context.Context, commits []string, path string) (before, after [][]byte, err error) {
	if len(commits) == 0 {
		return nil, nil, nil
	}
	var asked strings.Builder
	for _, c := range commits {
		fmt.Fprintf(&asked, "%s^1:%s\n%s:%s\n", c, path, c, path)
	}
	var out bytes.Buffer
	if _, err := r.Call(ctx, git.Call{Args: []string{"cat-file", "--batch"}, Stdin: asked.String(), Out: &out}); err != nil {
		return nil, nil, git.Failed(err, "reading what %s was", path)
	}
	for range commits {
		before = append(before, nextBlob(&out))
		after = append(after, nextBlob(&out))
	}
	return before, after, nil
}

// nextBlob takes the next answer of `git cat-file --batch`: a line that ends in the size, and as many bytes. Of what is not there it is
// another line.
func nextBlob(out *bytes.Buffer) []byte {
	line, _ := out.ReadString('\n')
	f := strings.Fields(line)
	if len(f) < 3 {
		return nil
	}
	size, err := strconv.Atoi(f[len(f)-1])
	if err != nil {
		return nil
	}
	blob := bytes.Clone(out.Next(size))
	out.Next(1)
	return blob
}

// BranchesWith returns the branches of remotes, such as origin/main, that this clone knows to have a commit, and whether none of
// them means that none has it: a clone of a tag alone knows no branch, and a shallow one does not know what lies below.
func (r *Repo) BranchesWith(ctx context.Context, commit string) (having []string, known bool, err error) {
	all, err := r.Ask(ctx, "for-each-ref", "--count=1", "--format=%(refname)", "refs/remotes")
	if err != nil {
		return nil, false, git.Failed(err, "listing the branches of remotes")
	}
	if all == "" {
		return nil, false, nil
	}
	out, err := r.Ask(ctx, "for-each-ref", "--format=%(refname:strip=2)", "--contains="+commit, "refs/remotes")
	if err != nil {
		return nil, false, git.Failed(err, "looking for the branches that have %s", git.Short(commit))
	}
	if out != "" {
		return strings.Fields(out), true, nil
	}
	shallow, err := r.Ask(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return nil, false, git.Failed(err, "asking git how much of the history is there")
	}
	return nil, shallow == "false", nil
}
