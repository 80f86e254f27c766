package releasepr

import (
	"context"
	"encoding/base64"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// clone is a temporary clone of the base.
type clone struct {
	repo  *gitrepo.Repo
	store *bump.Store
	w     *workspace.Workspace
}

// cloneBase clones the base's head commit. No tasks or builds run in the clone.
func (r *proposal) cloneBase(ctx context.Context, scratch string) (*clone, error) {
	dir := filepath.Join(scratch, "clone")
	if err := gitclone.Borrow(ctx, r.repo, dir, r.onto); err != nil {
		return nil, err
	}
	repo, err := gitrepo.Open(ctx, r.Runner, filepath.Join(dir, filepath.FromSlash(r.repo.Prefix)))
	if err != nil {
		return nil, err
	}
	c := &clone{repo: repo, store: &bump.Store{Top: repo.Top, Prefix: r.store.Prefix, Dir: filepath.Join(scratch, "state")}}
	c.w, err = workspace.LoadAs(filepath.Join(repo.Top, filepath.FromSlash(r.repo.Prefix)), r.w.Manifest.Name)
	return c, err
}

// plan plans the requested release of the base; nil if there is nothing to release.
func (c *clone) plan(ctx context.Context, req bump.Request) (*bump.Plan, error) {
	plan, err := bump.New(ctx, c.w, bumping.WithChangelog(req, c.w.Root), bumping.HistoryOf(c.repo))
	if err != nil {
		return nil, err
	}
	if !plan.Empty() {
		if err := c.refuseApart(plan); err != nil {
			return nil, err
		}
		plan.NoteGoModules(c.repo.Top)
		files, err := c.repo.FilesBelow(ctx, c.repo.Prefix)
		plan.NoteMentions(c.w, files)
		return plan, err
	}
	if len(plan.Packages) > 0 {
		return nil, operr.New("run `mage release "+req.Flags()+"`; or begin a changelog: pass -changelog to `mage version:bump`",
			"the versions are only in tags, and there is no changelog, so a pull request would change no file")
	}
	return nil, nil
}

// refuseApart returns an error if several packages with separate versions are released and some have versions only in tags. Their shared changelog
// section has only a date as its heading, so after the merge nothing would show which packages it is for.
func (c *clone) refuseApart(plan *bump.Plan) error {
	if len(plan.Tags) < 2 {
		return nil
	}
	for _, m := range plan.Packages {
		if pkg, err := c.w.Package(m.Name); err == nil && pkg.Version.Text == "" {
			return operr.New("propose this package alone with -only="+operr.Word(m.Name)+"; or release without a pull request: `mage release "+bump.Request{To: plan.Request.To, Only: m.Name}.Flags()+"`",
				"the version of %s is only in its tags, and a pull request of several packages cannot show that version; nothing was changed", m.Name)
		}
	}
	return nil
}

// `of` identifies what a proposal releases: a short title, the tags, and the first word of the changelog section's heading.
type of struct {
	title string
	tags  []string
	word  string
}

func (c *clone) of(plan *bump.Plan) of {
	var o of
	for _, t := range plan.Tags {
		o.tags = append(o.tags, t.Name)
	}
	o.title = strings.Join(o.tags, ", ")
	if len(o.tags) > 3 {
		o.title = o.tags[0] + " and " + operr.Count(len(o.tags)-1, "more package")
	}
	o.word = plan.Request.Date
	if len(o.tags) == 1 {
		o.word = strings.TrimPrefix(o.tags[0], "v")
	}
	return o
}

// isOf returns a function that reports whether a section's heading begins with a word, such as "1.2.0" in "[1.2.0] - 2026-01-02".
func isOf(word string) func(title string) bool {
	return func(title string) bool {
		first, _, _ := strings.Cut(strings.TrimSpace(title), " ")
		return word != "" && strings.Trim(first, "[]") == word
	}
}

// `made` is a new commit for the proposal branch.
type made struct {
	of      of
	commit  string
	tree    string
	section string // changelog section, including people's edits; "" if there is none
	file    string // path of the changelog in the repository; "" if there is none
}

// commit commits the plan on top of the base. The commit is not on a branch yet.
func (r *proposal) commit(ctx context.Context, c *clone, plan *bump.Plan, before earlier) (made, error) {
	m := made{of: c.of(plan)}
	if _, err := c.store.Apply(ctx, plan); err != nil {
		return m, err
	}
	var files []string
	for _, f := range plan.Files {
		files = append(files, c.store.PathOf(f.Path))
	}
	var written []string
	at, err := bump.Changelog(c.w)
	if err != nil {
		return m, err
	}
	if plan.Request.Changelog && at.Foreign == "" {
		m.file = path.Join(c.store.Prefix, at.File)
		if m.section, written, err = follow(filepath.Join(c.repo.Top, filepath.FromSlash(m.file)), m.of.word, before); err != nil {
			return m, err
		}
	}
	m.commit, err = r.repo.CommitFrom(ctx, r.onto, c.repo.Top, files, func(tree string) string {
		m.tree = tree
		return strings.TrimRight(plan.Message, "\n") + "\n\n" + sign(m.of.word, tree, written) + "\n"
	})
	return m, err
}

// follow carries people's edits over from the earlier section to the new one. It returns the new section, and the digests of the lines that the plan
// wrote.
func follow(file, word string, before earlier) (section string, written []string, err error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	p, there := changelog.Split(src, isOf(word))
	if !there {
		return "", nil, nil
	}
	written = changelog.Digests(p.Text)
	if before.edited {
		p.Text = changelog.Follow(before.written, before.section, p.Text)
		if p.After != "" {
			p.Text += "\n"
		}
		err = os.WriteFile(file, []byte(p.Before+p.Heading+p.Text+p.After), 0o644)
	}
	return p.Text, written, err
}

// signature is the prefix of the line in a commit message that identifies our commits.
const signature = "Release-Proposal: "

// sign returns the signature line: the section's first word, the commit's tree, and the digests of the written lines.
func sign(word, tree string, written []string) string {
	return signature + word + " " + tree + " " + base64.RawStdEncoding.EncodeToString([]byte(strings.Join(written, ""))) + "."
}

// readSignature parses the signature line in a commit message.
func readSignature(message string) (word, tree string, written []string) {
	for line := range strings.Lines(message) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), signature)
		fields := strings.Fields(strings.TrimSuffix(rest, "."))
		if !ok || len(fields) < 2 {
			continue
		}
		word, tree, written = fields[0], fields[1], nil
		if len(fields) == 3 {
			digests, err := base64.RawStdEncoding.DecodeString(fields[2])
			for ; err == nil && len(digests) >= digestSize; digests = digests[digestSize:] {
				written = append(written, string(digests[:digestSize]))
			}
		}
	}
	return word, tree, written
}

// digestSize is the length of each digest from changelog.Digests.
const digestSize = 6

// isThere reports whether the branch already has the same files on the same base, even if the commits differ.
func (r *proposal) isThere(ctx context.Context, at string, m made) (bool, error) {
	if at == "" {
		return false, nil
	}
	on, err := r.repo.Contains(ctx, at, r.onto)
	if err != nil || !on {
		return false, err
	}
	tree, err := r.repo.Tree(ctx, at)
	return tree == m.tree, err
}
