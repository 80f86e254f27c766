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

// Tags returns the commit hash of every tag, keyed by tag name. Tags of objects other than commits are left out.
func (r *Repo) Tags(ctx context.Context) (map[string]string, error) { return r.tags(ctx) }

// MergedTags is like Tags, but returns only tags that are reachable from HEAD.
func (r *Repo) MergedTags(ctx context.Context) (map[string]string, error) {
	return r.tags(ctx, "--merged=HEAD")
}

// Tags reads the tags of the repository that contains Dir. It does not open the repository before the tags are needed.
type Tags struct {
	Runner command.Runner
	Dir    string
}

// MergedTags returns the repository's merged tags. The result is empty outside a repository and before the first commit.
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

// readTags returns the names of all tags, and the commits of the tags that refer to a commit.
func (r *Repo) readTags(ctx context.Context, more ...string) (names []string, commits map[string]string, err error) {
	const format = "--format=%(refname:strip=2) %(objecttype) %(objectname) %(*objecttype) %(*objectname)"
	out, err := r.Ask(ctx, append([]string{"for-each-ref", format, "refs/tags"}, more...)...)
	if err != nil {
		return nil, nil, git.Failure(err, "asking git for the tags of %s", r.Top)
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

// peel adds the commits of nested tags, which are tags of other tags, to `tags`. Before version 2.45, git for-each-ref dereferences only one level.
func (r *Repo) peel(ctx context.Context, names []string, tags map[string]string) error {
	if names == nil {
		return nil
	}
	out, err := r.Feed(ctx, "refs/tags/"+strings.Join(names, "^{commit}\nrefs/tags/")+"^{commit}\n", "cat-file", "--batch-check")
	if err != nil {
		return git.Failure(err, "asking git for the commits of nested tags in %s", r.Top)
	}
	for i, line := range strings.Split(out, "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[1] == "commit" && i < len(names) {
			tags[names[i]] = f[0]
		}
	}
	return nil
}

// Commit is a commit in the history.
type Commit struct {
	Hash    string // 40 or 64 hex digits
	Parents []string
	Subject string   // first line of the message; git's own subject may span several lines
	Body    string   // text after the subject, including trailers
	Paths   []string // files that it changed, relative to Top; for a merge, compared with its first parent
}

// Log returns the commits that are reachable from HEAD but not from `since`, a commit or tag, newest first. It leaves out merges, which make no
// changes of their own. If `since` is "", it returns all commits.
func (r *Repo) Log(ctx context.Context, since string) (commits []Commit, err error) {
	err = r.walk(ctx, since, func(c Commit) { commits = append(commits, c) }, "--no-merges")
	return commits, err
}

// EachCommit calls `visit` for each commit, including merges, that is reachable from HEAD but not from `since`, a commit or tag. It visits children
// before their parents, and otherwise the newest commit first. If `since` is "", it visits all commits. It holds only one commit in memory, because a
// history may be long.
func (r *Repo) EachCommit(ctx context.Context, since string, visit func(Commit)) error {
	return r.walk(ctx, since, visit, "--date-order")
}

func (r *Repo) walk(ctx context.Context, since string, visit func(Commit), more ...string) error {
	shallow, err := r.Ask(ctx, "rev-parse", "--is-shallow-repository")
	if err == nil && shallow == "true" {
		return operr.New("run `git fetch --unshallow --tags`", "the clone %s is shallow: it has only a part of the history", r.Top)
	}
	// A long history is read in a single pass, by `git log` with flags for every setting that could affect its output. The plumbing commands
	// `rev-list` and `diff-tree` would need two passes.
	args := slices.Concat([]string{"log", "--root", "--no-relative", "--no-decorate", "--no-notes"}, told, more, []string{"--end-of-options", "HEAD"})
	if since != "" {
		args = append(args, "^"+since)
	}
	if err == nil {
		err = r.take(ctx, git.Call{Args: append(args, "--")}, visit)
	}
	if err != nil {
		return git.Failure(err, "reading the history of %s", r.Top)
	}
	return nil
}

// commitMark marks the start of a commit in git's output. It is unambiguous: no message contains a NUL, and no path is "//".
const commitMark = "//"

// headWords is the number of fields between commitMark and the paths.
const headWords = 3

// logReader is a Writer that parses the commits that git prints.
type logReader struct {
	visit func(Commit)
	rest  []byte   // an incomplete field at the end of the input so far
	head  []string // fields of the current commit before its paths
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

// end calls visit with the current commit.
func (l *logReader) end() {
	if l.begun && len(l.head) == headWords {
		subject, body, _ := strings.Cut(strings.TrimSpace(l.head[2]), "\n")
		l.visit(Commit{
			Hash:    l.head[0],
			Parents: strings.Fields(l.head[1]),
			Subject: strings.Clone(strings.TrimSpace(subject)), // cloned, so that the subject does not keep the whole body in memory
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
		return "", git.Failure(err, "looking for the tree of %s", git.Short(commit))
	}
	return strings.TrimSpace(out), nil
}

// Resolve returns the hash of the commit that rev, such as HEAD^ or a tag, refers to. If there is none, the error wraps ErrNoCommit.
func (r *Repo) Resolve(ctx context.Context, rev string) (string, error) {
	out, there, err := r.Answer(ctx, "rev-parse", "--quiet", "--verify", "--end-of-options", rev+"^{commit}")
	switch {
	case err != nil:
		return "", git.Failure(err, "looking for the commit %s in %s", rev, r.Top)
	case !there:
		return "", operr.New("commit the workspace first, or name a commit that exists", "%s has no commit %s%w", r.Top, rev, git.Silent(ErrNoCommit))
	}
	return out, nil
}

// MadeOn returns the oldest commit after base, up to head, that changed every one of the given files, relative to Top. It follows only first parents
// and skips merges. It returns "" if there is none.
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
		return "", git.Failure(err, "reading the history from %s to %s", git.Short(base), git.Short(head))
	}
	return made, nil
}

// told lists the options that make git print commits in the format that logReader parses.
var told = []string{
	"-r", "-z", "--name-only", "--no-renames", "--no-show-signature", "--diff-merges=first-parent", "--encoding=UTF-8",
	"--format=" + commitMark + "%x00%H%x00%P%x00%B%x00",
}

// changes calls `visit` for each of the given commits. The argument `commits` has one commit per line.
func (r *Repo) changes(ctx context.Context, commits string, visit func(Commit)) error {
	return r.take(ctx, git.Call{Args: slices.Concat([]string{"diff-tree", "--stdin", "--always", "--root"}, told), Stdin: commits + "\n"}, visit)
}

// take runs a git call, and calls `visit` with each commit as soon as git has printed the commit.
func (r *Repo) take(ctx context.Context, c git.Call, visit func(Commit)) error {
	l := &logReader{visit: visit}
	c.Set, c.Out = []string{"GIT_FLUSH=0"}, l // otherwise git makes one write per commit, which takes as long as reading it
	_, err := r.Call(ctx, c)
	if len(l.rest) > 0 {
		l.word(string(l.rest))
	}
	l.end()
	return err
}

// Versions returns a file's content before and after each of the given commits. path is relative to Top. The content is nil if the file did not
// exist.
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
		return nil, nil, git.Failure(err, "reading the old content of %s", path)
	}
	for range commits {
		before = append(before, nextBlob(&out))
		after = append(after, nextBlob(&out))
	}
	return before, after, nil
}

// nextBlob reads the next result of `git cat-file --batch`: a line that ends with the size, then the content. For a missing object there is only a
// line.
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

// BranchesWith returns the remote-tracking branches, such as origin/main, that contain a commit. known is false if the result is empty but may be
// incomplete, because a clone of a single tag has no branches, and a shallow clone lacks part of the history.
func (r *Repo) BranchesWith(ctx context.Context, commit string) (having []string, known bool, err error) {
	all, err := r.Ask(ctx, "for-each-ref", "--count=1", "--format=%(refname)", "refs/remotes")
	if err != nil {
		return nil, false, git.Failure(err, "listing the branches of remotes")
	}
	if all == "" {
		return nil, false, nil
	}
	out, err := r.Ask(ctx, "for-each-ref", "--format=%(refname:strip=2)", "--contains="+commit, "refs/remotes")
	if err != nil {
		return nil, false, git.Failure(err, "looking for the branches that contain %s", git.Short(commit))
	}
	if out != "" {
		return strings.Fields(out), true, nil
	}
	shallow, err := r.Ask(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return nil, false, git.Failure(err, "asking git whether the clone is shallow")
	}
	return nil, shallow == "false", nil
}
