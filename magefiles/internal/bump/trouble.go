package bump

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Troubles returns the problems that prevent a plan from being applied, apart from changes in the work tree and existing tags. These are files that
// cannot be written or committed, and invalid tag names. It writes nothing.
func (s *Store) Troubles(ctx context.Context, plan *Plan, repo Repo, parts Parts) ([]*operr.Error, error) {
	var ofFiles, ofGit, ofTags []*operr.Error
	questions, asking := errgroup.WithContext(ctx)
	if parts.Commit && !plan.Empty() {
		questions.Go(func() (err error) { ofFiles, err = repo.Troubles(asking, s.paths(plan)); return err })
		questions.Go(func() (err error) { ofGit, err = repo.Unwritable(asking); return err })
	}
	questions.Go(func() (err error) { _, ofTags, err = findTags(asking, plan, repo); return err })
	err := questions.Wait()
	found := slices.Concat(ofTags, ofFiles, ofGit)
	if err != nil || plan.Empty() {
		return found, err
	}
	changes, err := s.changes(plan)
	if err != nil {
		return found, err
	}
	if err := atomicfile.Check(s.Top, changes); err != nil {
		found = append(found, explainUnwritten(err))
	}
	return found, nil
}

// findTags returns the existing tags, and errors for the plan's tags that cannot be made. If the plan has no tags, it does nothing.
func findTags(ctx context.Context, plan *Plan, repo Tagger) (commits map[string]string, troubles []*operr.Error, err error) {
	if len(plan.Tags) == 0 {
		return nil, nil, nil
	}
	return repo.TagTroubles(ctx, plan.tagNames())
}

func (p *Plan) tagNames() []string {
	var names []string
	for _, t := range p.Tags {
		names = append(names, t.Name)
	}
	return names
}

// joinTroubles combines errors into one, or returns nil if there are none.
func joinTroubles(found []*operr.Error) error {
	if len(found) == 1 {
		return operr.New("", "%w; nothing was changed", found[0])
	}
	return operr.Join(found, "fix each of these problems", "%d problems prevent the bump; nothing was changed", len(found))
}
