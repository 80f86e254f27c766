package bump

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Troubles says what keeps a plan from being carried out, beside changes in the work tree and tags that are there already: files
// that cannot be written or committed, and names of tags that git does not allow. Nothing is written.
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

// findTags returns the tags that are there, and what keeps those of a plan from being made. Without any, nothing is asked.
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

// joinTroubles is the error for what keeps a plan from being carried out; nil where nothing does.
func joinTroubles(found []*operr.Error) error {
	if len(found) == 1 {
		return operr.New("", "%w; nothing was changed", found[0])
	}
	return operr.Join(found, "see to each", "%d things are in the way; nothing was changed", len(found))
}
