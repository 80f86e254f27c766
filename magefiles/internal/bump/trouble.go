package bump

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Trouble is something that keeps a plan from being carried out: a sentence, and what to do about it.
type Trouble = struct{ What, Next string }

// Troubles asks all that can be asked about a plan's files and tags before anything is written, and that is more than a change
// or a tag which is there: files that cannot be written or committed, names that git does not allow.
func (s *Store) Troubles(ctx context.Context, plan *Plan, repo Repo, steps Steps) ([]Trouble, error) {
	found, err := s.troubles(ctx, plan, repo, steps)
	if err != nil || plan.Empty() {
		return found, err
	}
	changes, err := s.changes(plan)
	if err != nil {
		return found, err
	}
	if err := atomicfile.Check(s.Top, changes); err != nil {
		var told *operr.Error
		errors.As(notWritten(err), &told)
		found = append(found, Trouble{told.Summary, told.Next})
	}
	return found, nil
}

// troubles is Troubles without a look at the files themselves, which Apply has before it writes.
func (s *Store) troubles(ctx context.Context, plan *Plan, repo Repo, steps Steps) ([]Trouble, error) {
	var ofFiles, ofGit, ofTags []Trouble
	questions, ctx := errgroup.WithContext(ctx)
	if steps.Commit && !plan.Empty() {
		questions.Go(func() (err error) { ofFiles, err = repo.Troubles(ctx, s.paths(plan)); return err })
		questions.Go(func() (err error) { ofGit, err = repo.Unwritable(ctx); return err })
	}
	if len(plan.Tags) > 0 {
		questions.Go(func() (err error) { ofTags, err = repo.TagTroubles(ctx, plan.tagNames()); return err })
	}
	err := questions.Wait()
	return append(append(ofTags, ofFiles...), ofGit...), err
}

func (p *Plan) tagNames() []string {
	var names []string
	for _, t := range p.Tags {
		names = append(names, t.Name)
	}
	return names
}

// troubled is the error for what is in the way; nil where nothing is.
func troubled(found []Trouble) error {
	switch len(found) {
	case 0:
		return nil
	case 1:
		return operr.New(found[0].Next, "%s; nothing was changed", found[0].What)
	}
	var lines []string
	for _, t := range found {
		lines = append(lines, t.What+" → "+t.Next)
	}
	return operr.New("see to each", "%d things are in the way; nothing was changed", len(found)).WithDetail(strings.Join(lines, "\n"))
}
