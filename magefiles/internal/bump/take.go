package bump

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Tree provides the state of a git work tree. Paths are relative to its top.
type Tree interface {
	// Changed returns the tracked files that differ from the last commit.
	Changed(ctx context.Context) ([]string, error)
	// Resolve returns the commit that rev refers to.
	Resolve(ctx context.Context, rev string) (string, error)
	// Underway returns the git operation in progress, such as "a merge", and how to end it, or "" if there is none.
	Underway(ctx context.Context) (what, end string)
	// Troubles returns the reasons why any of the files cannot be committed. The files need not exist yet.
	Troubles(ctx context.Context, paths []string) ([]*operr.Error, error)
	// Survey returns the results of Changed and Troubles, and the paths that git does not track.
	Survey(ctx context.Context, paths []string) (changed, untracked []string, troubles []*operr.Error, err error)
	// Unwritable returns errors for git's own files that are not writable.
	Unwritable(ctx context.Context) ([]*operr.Error, error)
}

// Tagger lists and makes tags.
type Tagger interface {
	// Tags returns the commit of every tag, keyed by tag name.
	Tags(ctx context.Context) (map[string]string, error)
	// Tag makes an annotated tag.
	Tag(ctx context.Context, name, commit, message string) error
	// TagTroubles returns the result of Tags, and errors for the tags that cannot be made. An existing tag of a commit is not an error.
	TagTroubles(ctx context.Context, names []string) (commits map[string]string, troubles []*operr.Error, err error)
}

// Repo is a git repository. A bump uses only the local clone, and contacts no remote.
type Repo interface {
	Tree
	Tagger
	Past
	// Commit commits exactly the given files and returns the commit. On error, nothing is staged.
	Commit(ctx context.Context, paths []string, message string) (string, error)
	// CommitOn is like Commit, for a caller that already has the commit of HEAD.
	CommitOn(ctx context.Context, base string, paths []string, message string) (string, error)
}

// Result is the result of Take or TakeUp.
type Result struct {
	Plan   *Plan    `json:"plan"`
	Commit string   `json:"commit,omitempty"` // commit of the release, if any
	Tags   []string `json:"tags,omitempty"`   // tags of the plan that exist now
	Had    []string `json:"had,omitempty"`    // the tags in Tags that existed before
}

// Parts selects the parts of a plan to carry out besides the edits.
type Parts struct {
	Commit, Tag bool
}

// Preflight checks that a plan can be applied, before anything is written. The work tree must be clean, so that no other edit is committed, and the
// tags must be free. For an empty plan it does nothing.
func (s *Store) Preflight(ctx context.Context, plan *Plan, repo Repo, parts Parts) error {
	if plan.Empty() {
		return nil
	}
	var changed, unknown []string
	var tags map[string]string
	var ofFiles, ofGit, ofTags []*operr.Error
	questions, ctx := errgroup.WithContext(ctx)
	if parts.Commit {
		questions.Go(func() (err error) { changed, unknown, ofFiles, err = repo.Survey(ctx, s.paths(plan)); return err })
		questions.Go(func() (err error) { ofGit, err = repo.Unwritable(ctx); return err })
	} else {
		questions.Go(func() (err error) { changed, err = repo.Changed(ctx); return err })
	}
	questions.Go(func() (err error) { tags, ofTags, err = findTags(ctx, plan, repo); return err })
	if err := questions.Wait(); err != nil {
		return err
	}
	unknown = slices.DeleteFunc(unknown, func(name string) bool { return s.isNew(plan, name) })
	if what, end := repo.Underway(ctx); what != "" && parts.Commit {
		return operr.New("end this operation of git first: "+end, "git is in the middle of %s, and a commit would become a part of that operation; nothing was changed", what)
	}
	if err := joinTroubles(slices.Concat(ofTags, ofFiles, ofGit)); err != nil { // this error has more details about a changed file than the next one
		return err
	}
	if len(changed) > 0 {
		return operr.New("commit or stash these changes", "the work tree has changes that the bump must not commit; nothing was changed").WithDetail(strings.Join(changed, "\n"))
	}
	for _, t := range plan.Tags {
		if at, ok := tags[t.Name]; ok {
			return operr.New("pass another version, or remove the tag if that version was never released", "the tag %s exists already, at %s; nothing was changed", t.Name, short(at))
		}
	}
	if len(unknown) > 0 {
		return operr.New("commit these files first, or have git ignore them", "git does not track some files that the bump would change; nothing was changed").WithDetail(strings.Join(unknown, "\n"))
	}
	return nil
}

// isNew reports whether the plan creates a file. `name` is relative to Top.
func (s *Store) isNew(plan *Plan, name string) bool {
	i := slices.Index(s.paths(plan), name)
	return i >= 0 && plan.Files[i].Before == ""
}

// Take applies the plan and carries out the given parts. If a hook refuses the commit, it restores the files.
func (s *Store) Take(ctx context.Context, plan *Plan, repo Repo, parts Parts) (Result, error) {
	r := Result{Plan: plan}
	if plan.Empty() {
		return s.tagPresent(ctx, r, repo, parts)
	}
	base := ""
	if repo != nil {
		var err error
		if base, err = repo.Resolve(ctx, "HEAD"); err != nil {
			return r, err
		}
	}
	if err := s.remember(plan, base); err != nil {
		return r, err
	}
	replace := atomicfile.ReplaceAll
	if parts.Commit {
		// The work tree was clean, and the commit follows. After a power failure, git still has the old contents of the files.
		replace = atomicfile.ReplaceAllUnsynced
	}
	applied, err := s.apply(ctx, plan, replace)
	if err != nil {
		_ = s.forget() // a remaining record is harmless, because the files do not match its plan
		return r, err
	}
	if !parts.Commit {
		return r, nil
	}
	if r.Commit, err = repo.CommitOn(ctx, base, s.paths(plan), plan.Message); err != nil {
		if back := applied.Revert(); back != nil {
			return r, operr.New("look at the changes with `git diff`, and restore the files", "%w; the files could not be restored: %v", err, back)
		}
		return r, operr.New(refused, "%w; the files are restored", err)
	}
	return s.end(ctx, r, repo, parts, nil) // Preflight has checked that the tags are free
}

// refused is the next step after a refused commit.
const refused = "read the message of git or of a hook above; if the commit message was refused, change `commit` in [tool.release]"

// TakeUp completes the bump of an earlier run. If a hook refuses the commit, the files are not changed.
func (s *Store) TakeUp(ctx context.Context, p *Pending, repo Repo, parts Parts) (Result, error) {
	r := Result{Plan: p.Plan, Commit: p.Commit}
	if r.Commit == "" {
		var err error
		if r.Commit, err = repo.Commit(ctx, s.paths(p.Plan), p.Plan.Message); err != nil {
			return r, operr.New(refused, "%w; the bump is still in the work tree, uncommitted", err)
		}
	}
	tags, err := repo.Tags(ctx)
	if err != nil {
		return r, err
	}
	return s.end(ctx, r, repo, parts, tags)
}

// end makes the tags and removes the record of the plan. `tags` has the existing tags.
func (s *Store) end(ctx context.Context, r Result, repo Repo, parts Parts, tags map[string]string) (Result, error) {
	if parts.Tag {
		for _, t := range r.Plan.Tags {
			if err := s.tag(ctx, &r, repo, tags, t.Name, r.Commit); err != nil {
				return r, err
			}
		}
	}
	return r, s.forget()
}

// tag makes a tag, unless it already exists on one of the commits.
func (s *Store) tag(ctx context.Context, r *Result, repo Tagger, tags map[string]string, name string, commits ...string) error {
	switch at, there := tags[name]; {
	case there && !slices.Contains(commits, at):
		return operr.New("compare the two commits; if the tag is wrong, move the tag", "the tag %s is at the commit %s, but should be at %s", name, short(at), short(commits[0]))
	case there:
		r.Had = append(r.Had, name)
	default:
		if err := repo.Tag(ctx, name, commits[0], r.Plan.TagMessage(name)); err != nil {
			return err
		}
	}
	r.Tags = append(r.Tags, name)
	return nil
}

// tagPresent tags versions that are already in the manifests. If a bump set the version, the tag goes to the bump's commit, and otherwise to the last
// commit.
func (s *Store) tagPresent(ctx context.Context, r Result, repo Repo, parts Parts) (Result, error) {
	if !parts.Tag || len(r.Plan.Tags) == 0 {
		return r, nil
	}
	changed, err := repo.Changed(ctx)
	if err != nil {
		return r, err
	}
	if len(changed) > 0 {
		return r, operr.New("commit or stash these changes", "the work tree has uncommitted changes, which the tagged commit would not contain").WithDetail(strings.Join(changed, "\n"))
	}
	head, err := repo.Resolve(ctx, "HEAD")
	if err != nil {
		return r, err
	}
	tags, troubles, err := findTags(ctx, r.Plan, repo)
	if err == nil {
		err = joinTroubles(troubles)
	}
	if err != nil {
		return r, err
	}
	for _, t := range r.Plan.Tags {
		made, err := s.Made(ctx, repo, head, t)
		if err != nil {
			return r, err
		}
		belongs := []string{head}
		switch {
		case made.Bumped():
			belongs = []string{made.Commit, head}
		case made.Commit != "":
			belongs = []string{head, made.Commit}
		}
		if err := s.tag(ctx, &r, repo, tags, t.Name, belongs...); err != nil {
			return r, err
		}
	}
	return r, nil
}

func short(commit string) string { return commit[:min(len(commit), 12)] }
