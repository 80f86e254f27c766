package image

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// view is a snapshot of the registry's tags, including those that other jobs have written.
type view struct {
	have    []string
	held    map[string]Held
	tags    []Tag  // result of Ladder
	commits []Held // images of later commits of our version whose tags appeared after the plan was made
	higher  map[string]Held
}

// maxRivals limits how many tags of other jobs a job reads. It is far more than the number of jobs that run concurrently.
const maxRivals = 50

// look reads the registry's tags, and finds those that other jobs have written.
func (t *tagging) look(ctx context.Context) (v view, err error) {
	p := t.Plan
	if v.have, err = t.Registry.Tags(ctx, p.Repository); err != nil {
		return v, err
	}
	if v.held, err = ReadHeld(ctx, t.Registry, p.Repository, p.Candidates(), v.have); err != nil {
		return v, err
	}
	if err = t.History.Order(ctx, p.Revision, v.held); err != nil {
		return v, err
	}
	v.tags = Ladder(p.version, p.Revision, v.have, v.held)
	if t.first == nil {
		t.first, t.seen = map[string]string{}, map[string]string{}
		for tag, h := range v.held {
			t.first[tag], t.seen[tag] = h.Digest, h.Digest
		}
		for tag, h := range p.held {
			t.first[tag] = h.Digest
		}
	}
	if len(t.written) > 0 {
		err = t.findRivals(ctx, &v)
	}
	return v, err
}

// findRivals examines the tags that have appeared since the plan was made. Older tags cannot be from a concurrent job.
func (t *tagging) findRivals(ctx context.Context, v *view) error {
	before := map[string]bool{RevisionTag(t.Plan.Revision): true}
	for _, tag := range t.Plan.have {
		before[tag] = true
	}
	v.higher = map[string]Held{}
	looked := 0
	for _, tag := range v.have {
		commit := strings.HasPrefix(tag, "sha-")
		has, err := parseSpelled(tag)
		release := err == nil && !has.Prerelease() && has.Compare(t.Plan.version) > 0
		if before[tag] || !commit && !release || looked >= maxRivals {
			continue
		}
		looked++
		h, err := readHeld(ctx, t.Registry, t.Plan.Repository, tag)
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		of, err := parseSpelled(h.Version)
		switch {
		case err != nil:
		case release && of.Compare(has) == 0:
			v.higher[tag] = h
		case commit && of.Compare(t.Plan.version) == 0:
			if h.Order, err = t.History.relate(ctx, t.Plan.Revision, h.Revision); err != nil {
				return err
			}
			if h.Order == Ahead {
				v.commits = append(v.commits, h)
			}
		}
	}
	return t.sort(ctx, v.commits)
}

// sort moves the newest commit, the descendant of all others, to the end.
func (t *tagging) sort(ctx context.Context, all []Held) (err error) {
	slices.SortStableFunc(all, func(a, b Held) int { return strings.Compare(a.Revision, b.Revision) })
	for n := 1; n < len(all); n++ {
		order, failed := t.History.relate(ctx, all[n].Revision, all[n-1].Revision)
		if failed != nil {
			err = failed
		}
		if order == Ahead {
			all[n], all[n-1] = all[n-1], all[n]
		}
	}
	return err
}

// decide returns the tags to write now. `again` is true if this job has looked before.
func (t *tagging) decide(v view, again bool) (todo []goal) {
	p := t.Plan
	for _, tag := range v.tags[1:] {
		h := v.held[tag.Name]
		mine := h.Digest != "" && h.Digest == t.written[tag.Name]
		switch {
		case t.refused[tag.Name] != nil, !tag.Moves && !mine && !t.isContested(h):
			continue
		case again && !mine && h.order(p.Revision) == Same:
			continue // another job for this commit wrote it; either image is fine
		}
		want := t.chooseDigest(v, tag.Name)
		if h.Digest == want {
			continue
		}
		todo = append(todo, goal{tag: tag.Name, digest: want, had: h.Digest})
	}
	return todo
}

// isContested reports whether this job takes over a tag that a concurrent job wrote for a commit that is neither an ancestor nor a descendant of
// ours. Both jobs must agree on the winner: the commit with the greater hash gets all tags.
func (t *tagging) isContested(h Held) bool {
	has, err := parseSpelled(h.Version)
	if err != nil || has.Compare(t.Plan.version) != 0 || h.order(t.Plan.Revision) != Apart || h.Revision > t.Plan.Revision {
		return false
	}
	for _, digest := range t.seen {
		if digest == h.Digest {
			return false // the other job wrote it first
		}
	}
	return true
}

// chooseDigest returns the digest for one of our tags: our own, unless another job has a better claim (see [tagging]).
func (t *tagging) chooseDigest(v view, tag string) string {
	p := t.Plan
	exact := v.tags[1].Name
	if tag != exact {
		if h, ok := v.findHighest(tag); ok {
			return h.Digest
		}
	}
	if n := len(v.commits); n > 0 {
		return v.commits[n-1].Digest
	}
	for _, other := range v.tags[1:] {
		h := v.held[other.Name]
		has, err := parseSpelled(h.Version)
		if err != nil || has.Compare(p.version) != 0 || h.Digest == t.written[other.Name] {
			continue
		}
		order := h.order(p.Revision)
		if order == Behind || order == Same || t.isContested(h) {
			continue
		}
		if other.Name == exact && order == Ahead || h.Digest != t.first[other.Name] {
			return h.Digest
		}
	}
	return t.Result.Digest
}

// findHighest returns the image of the highest release that has appeared since the plan was made and may have a moving tag.
func (v view) findHighest(tag string) (best Held, ok bool) {
	var highest version.Version
	for name, h := range v.higher {
		has, err := parseSpelled(name)
		if err != nil || tag != Latest && !isWithin(has.String(), tag) {
			continue
		}
		if !ok || has.Compare(highest) > 0 {
			best, highest, ok = h, has, true
		}
	}
	return best, ok
}
