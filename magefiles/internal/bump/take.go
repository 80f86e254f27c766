package bump

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Tree is what is asked of a git work tree. Paths are relative to its top.
type Tree interface {
	// Changed returns the tracked files that differ from the last commit.
	Changed(ctx context.Context) ([]string, error)
	// Resolve returns the commit that a name stands for.
	Resolve(ctx context.Context, rev string) (string, error)
	// Underway says what git is in the middle of, such as "a merge", and how it is ended; "" for nothing.
	Underway(ctx context.Context) (what, end string)
	// Troubles says why files cannot be committed as they are changed, whether they are there yet or not.
	Troubles(ctx context.Context, paths []string) ([]*operr.Error, error)
	// Survey returns what Changed and Troubles do, and those of the paths that git does not know.
	Survey(ctx context.Context, paths []string) (changed, untracked []string, troubles []*operr.Error, err error)
	// Unwritable says what of git's own cannot be written.
	Unwritable(ctx context.Context) ([]*operr.Error, error)
}

// Tagger knows tags, makes them, and finds out what they belong to.
type Tagger interface {
	// Tags returns the commit of every tag, by the tag's name.
	Tags(ctx context.Context) (map[string]string, error)
	// Tag makes an annotated tag.
	Tag(ctx context.Context, name, commit, message string) error
	// TagTroubles returns what Tags does, and says which tags cannot be made. One that is there already, on a commit, is none of these.
	TagTroubles(ctx context.Context, names []string) (commits map[string]string, troubles []*operr.Error, err error)
}

// Repo is a git repository. All of it is read from the clone: a bump asks no remote.
type Repo interface {
	Tree
	Tagger
	Past
	// Commit commits exactly the given files and returns the commit. When it returns an error, nothing is staged.
	Commit(ctx context.Context, paths []string, message string) (string, error)
	// CommitOn is Commit for who knows the commit that HEAD stands for.
	CommitOn(ctx context.Context, base string, paths []string, message string) (string, error)
}

// Result is what was done of a plan.
type Result struct {
	Plan   *Plan    `json:"plan"`
	Commit string   `json:"commit,omitempty"` // the release's commit, where there is one
	Tags   []string `json:"tags,omitempty"`   // that are there now
	Had    []string `json:"had,omitempty"`    // those of them that were there before
}

// Parts says how far to go.
type Parts struct {
	Commit, Tag bool
}

// Preflight asks the clone whether a plan may be carried out, and refuses before anything is written: the work tree has to
// be clean, so that nobody's edit is swept in, and the tags free. An empty plan has nothing to ask.
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
		return operr.New("end it: "+end, "git is in the middle of %s, which a commit would become a part of; nothing was changed", what)
	}
	if err := joinTroubles(slices.Concat(ofTags, ofFiles, ofGit)); err != nil { // it says more of an edit than that there is one
		return err
	}
	if len(changed) > 0 {
		return operr.New("commit or stash them", "the work tree has changes, and nothing was changed: a bump must not sweep them in").WithDetail(strings.Join(changed, "\n"))
	}
	for _, t := range plan.Tags {
		if at, ok := tags[t.Name]; ok {
			return operr.New("say another version, or remove the tag if that release never was", "the tag %s is there already, at %s; nothing was changed", t.Name, short(at))
		}
	}
	if len(unknown) > 0 {
		return operr.New("commit them first, or ignore them", "git does not know all of the files that would change; nothing was changed").WithDetail(strings.Join(unknown, "\n"))
	}
	return nil
}

// isNew reports whether a file, relative to Top, is one that the plan makes.
func (s *Store) isNew(plan *Plan, name string) bool {
	i := slices.Index(s.paths(plan), name)
	return i >= 0 && plan.Files[i].Before == ""
}

// Take carries a plan out, as far as parts say. Where a hook refuses the commit, the files are brought back.
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
		// The tree was clean, and is committed next: after a loss of power git has what the files held before and after.
		replace = atomicfile.ReplaceAllUnsynced
	}
	applied, err := s.apply(ctx, plan, replace)
	if err != nil {
		_ = s.forget() // a plan that stays there says nothing: the files are not as it leaves them
		return r, err
	}
	if !parts.Commit {
		return r, nil
	}
	if r.Commit, err = repo.CommitOn(ctx, base, s.paths(plan), plan.Message); err != nil {
		if back := applied.Revert(); back != nil {
			return r, operr.New("see `git diff`", "%w; and bringing the files back: %v", err, back)
		}
		return r, operr.New(refused, "%w; the files are as they were", err)
	}
	return s.end(ctx, r, repo, parts, nil) // that the tags are free was seen before
}

// refused is what to do where a commit was.
const refused = "see what git, or a hook of the repository, says above; `commit` in [tool.release] sets the message, if it is that"

// TakeUp goes on with a bump that an earlier run left behind. Where a hook refuses the commit, the files stay as they are.
func (s *Store) TakeUp(ctx context.Context, p *Pending, repo Repo, parts Parts) (Result, error) {
	r := Result{Plan: p.Plan, Commit: p.Commit}
	if r.Commit == "" {
		var err error
		if r.Commit, err = repo.Commit(ctx, s.paths(p.Plan), p.Plan.Message); err != nil {
			return r, operr.New(refused, "%w; the bump still lies in the work tree", err)
		}
	}
	tags, err := repo.Tags(ctx)
	if err != nil {
		return r, err
	}
	return s.end(ctx, r, repo, parts, tags)
}

// end tags the commit that was made, and forgets the plan. tags are those that are there.
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

// tag makes a tag, unless it is there, where it should be.
func (s *Store) tag(ctx context.Context, r *Result, repo Tagger, tags map[string]string, name string, commits ...string) error {
	switch at, there := tags[name]; {
	case there && !slices.Contains(commits, at):
		return operr.New("find out which is right", "the tag %s is at %s, and belongs to %s", name, short(at), short(commits[0]))
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

// tagPresent tags versions that are in the manifests already: where a bump brought them there its commit, and else the last
// one.
func (s *Store) tagPresent(ctx context.Context, r Result, repo Repo, parts Parts) (Result, error) {
	if !parts.Tag || len(r.Plan.Tags) == 0 {
		return r, nil
	}
	changed, err := repo.Changed(ctx)
	if err != nil {
		return r, err
	}
	if len(changed) > 0 {
		return r, operr.New("commit or stash them", "the work tree has changes: what would be tagged is not what is there").WithDetail(strings.Join(changed, "\n"))
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
