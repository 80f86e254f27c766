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

// clone is the workspace as the base has it, in a folder that goes when the run ends.
type clone struct {
	repo  *gitrepo.Repo
	store *bump.Store
	w     *workspace.Workspace
}

// cloneBase clones the commit that the base is at. No task runs in it, and nothing is built.
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

// plan works out what is asked for, on the base; nil where nothing is to be released.
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
		line := "mage release -to=" + operr.Word(req.To)
		if req.Only != "" {
			line += " -only=" + operr.Word(req.Only)
		}
		return nil, operr.New("`"+line+"` is the way; or begin a changelog: -changelog of `mage version:bump` does",
			"no file has the versions, which are in tags alone, and there is no changelog: a pull request would bring nothing")
	}
	return nil, nil
}

// refuseApart refuses packages of which tags alone have the versions, beside others with versions of their own: the section of several begins with the day,
// and once it is merged nobody could tell what it is of.
func (c *clone) refuseApart(plan *bump.Plan) error {
	if len(plan.Tags) < 2 {
		return nil
	}
	for _, m := range plan.Packages {
		if pkg, err := c.w.Package(m.Name); err == nil && pkg.Version.Text == "" {
			return operr.New("propose it by itself, with -only="+operr.Word(m.Name)+"; or, without a pull request, `mage release -to="+operr.Word(plan.Request.To)+" -only="+operr.Word(m.Name)+"`",
				"the version of %s is in its tags alone, and a pull request of several packages does not say it; nothing was changed", m.Name)
		}
	}
	return nil
}

// of is what a proposal is of: the tags, in a word, and the first word of the heading that the changelog's section has.
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

// isOf reports whether a heading is that of a section which begins with a word: "[1.2.0] - 2026-01-02" with "1.2.0".
func isOf(word string) func(title string) bool {
	return func(title string) bool {
		first, _, _ := strings.Cut(strings.TrimSpace(title), " ")
		return word != "" && strings.Trim(first, "[]") == word
	}
}

// made is a commit that was made for the branch.
type made struct {
	of      of
	commit  string
	tree    string
	section string // of the changelog, with what people wrote; "" where none is written
	file    string // the changelog, from the repository's top; "" for none
}

// commit makes the commit of the plan on the base, which no branch has yet.
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

// follow lets the new section of a changelog have what people made of the earlier one. It returns the section, and the digests of the lines that were
// written by the plan.
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

// signature begins the line of a message by which a commit of ours is known.
const signature = "Release-Proposal: "

// sign is the line: the section's word, the commit's own tree, which another commit does not have, and the digests of the lines that were written.
func sign(word, tree string, written []string) string {
	return signature + word + " " + tree + " " + base64.RawStdEncoding.EncodeToString([]byte(strings.Join(written, ""))) + "."
}

// readSignature reads that line of a message.
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

// digestSize is how many characters a digest of changelog.Digests has.
const digestSize = 6

// isThere reports whether the branch is at what was made, be it by other commits: on the same base, with the same files.
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
