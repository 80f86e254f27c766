package image

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// maxRounds is how often tags are read again before a job gives up on tags that others keep moving.
const maxRounds = 12

// tagging moves the tags of one job. Another job may do so at the same time, in this registry that has no locks, so the tags
// are read again after they were written, until there is nothing left to do. A job that wrote last sees then what it wrote
// over, since each job leaves the tag of its commit, which no other one takes, before it looks at those that move:
//
//	any of the tags    that another job gave to a commit of our version meanwhile, has the others too; it may be unknown to git here
//	a higher release    that came meanwhile has the moving tags that it may have
//	the tag of a commit    that came meanwhile, and that git has as a later one of the same version
//
// Nothing but what this job has written, or would write, goes to the image of another one.
//
// What was in the registry before the plan counts for nothing: a person may have moved tags back from it by -tag. That leaves one hole. A
// newer job has put the tag of its commit, and not yet the others, when we make our plan; there is one tag alone that both move, such as that
// of a pre-release; and our PUT of it is on its way until the newer job has ended. We have then overwritten the only trace of it: all that
// we can read is as it would be if a person had moved the tag back before our plan. With two tags or more, the second one shows
// the newer job. To close the hole, a job would have to leave a mark when it has ended, and no tag of an image says that.
type tagging struct {
	*Job
	written map[string]string // digest that this job gave to a tag last
	first   map[string]string // digest that a tag had when the plan was made, or else as in seen
	seen    map[string]string // digest that a tag had when this job first looked at it
	refused map[string]error  // tags that the registry did not let go
	last    []goal            // what was written in the round before
	unmoved int               // rounds in a row that found what the round before had found
}

// tag moves the tags by what the registry has at that moment, since time has passed.
func (j *Job) tag(ctx context.Context) (string, error) {
	t := &tagging{Job: j, written: map[string]string{}, refused: map[string]error{}}
	if j.Plan.named || j.Plan.Partial {
		return t.giveNamed(ctx)
	}
	if err := t.write(ctx, RevisionTag(j.Plan.Revision), j.Result.Digest); err != nil {
		return "", err
	}
	for round := range maxRounds {
		now, err := t.look(ctx)
		if err != nil {
			return "", err
		}
		todo := t.decide(now, round > 0)
		if len(todo) == 0 {
			return t.conclude(now)
		}
		if err := t.waitWhereSame(ctx, todo); err != nil {
			return "", err
		}
		if err := t.do(ctx, todo); err != nil {
			return "", err
		}
	}
	return "", operr.New("run it again when they have ended: nothing is lost",
		"other jobs move the tags of %s all the while: it is not known where they end", j.Plan.Repository)
}

// maxUnmoved is how many rounds in a row may find all as it was before the round before wrote it, and firstWait how long the first one
// of them waits; each of the others waits twice as long.
const (
	maxUnmoved = 5
	firstWait  = 100 * time.Millisecond
)

// waitWhereSame waits where the same is to be written as in the round before: the registry, or a cache before it, does not show yet what it
// took. One that never does is not another job.
func (t *tagging) waitWhereSame(ctx context.Context, todo []goal) error {
	if !slices.Equal(todo, t.last) {
		t.last, t.unmoved = todo, 0
		return nil
	}
	if t.unmoved++; t.unmoved > maxUnmoved {
		var names []string
		for _, g := range todo {
			names = append(names, g.tag)
		}
		return operr.New("see whether a cache stands before the registry, and what it does with tags; then run it again: nothing is lost",
			"the registry took %s for %s, and shows them where they were before", strings.Join(names, ", "), t.Plan.Repository)
	}
	return t.Registry.Shown.Rest(ctx, firstWait<<(t.unmoved-1))
}

// giveNamed gives the tags that were asked for by name, whatever they stand for.
func (t *tagging) giveNamed(ctx context.Context) (string, error) {
	t.Result.Tags = slices.Clone(t.Plan.Tags)
	var moved, stay []string
	for n, tag := range t.Result.Tags {
		if err := t.write(ctx, tag.Name, t.Result.Digest); err != nil {
			return "", err
		}
		if t.written[tag.Name] == "" {
			t.Result.Tags[n] = Tag{Name: tag.Name, Moves: false, Why: standsForImage}
			stay = append(stay, tag.Name)
			continue
		}
		moved = append(moved, tag.Name)
	}
	for _, name := range moved {
		now, err := t.digest(ctx, name)
		if err != nil {
			return "", err
		}
		if now != t.Result.Digest {
			return "", operr.New("run it again if the tag is to go to this image", "another job has moved %s:%s to %s meanwhile", t.Plan.Repository, name, now)
		}
	}
	return describeMoves(moved, stay), t.explainKept(moved...)
}

// standsForImage is said of a tag that needs no move.
const standsForImage = "stands for this image already"

// digest is that of what a tag stands for; "" where it is not there.
func (t *tagging) digest(ctx context.Context, tag string) (string, error) {
	now, err := t.Registry.Digest(ctx, t.Plan.Repository+":"+tag)
	if errors.Is(err, registry.ErrNotFound) {
		return "", nil
	}
	return now, err
}

// write gives a tag to an image, unless it has it.
func (t *tagging) write(ctx context.Context, tag, digest string) error {
	now, err := t.digest(ctx, tag)
	if err != nil || now == digest {
		return err
	}
	return t.put(ctx, tag, digest)
}

// put gives a tag to an image. What the registry does not let go is remembered: the other tags go on.
func (t *tagging) put(ctx context.Context, tag, digest string) error {
	err := t.Registry.Await(ctx, func() error { return t.Registry.Tag(ctx, t.Plan.Repository, digest, tag) })
	var keeps *registry.ImmutableError
	if errors.As(err, &keeps) {
		t.refused[tag] = keeps
		return t.rememberKept(tag)
	}
	if err != nil {
		return err
	}
	t.written[tag] = digest
	return t.forgetKept(tag)
}

// explainKept is the error of a job whose image did not get a tag that the registry keeps. Others moved.
func (t *tagging) explainKept(moved ...string) error {
	if len(t.refused) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(t.refused))
	others := "no tag moved"
	if len(moved) > 0 {
		others = "moved all the same: " + strings.Join(moved, ", ")
	}
	return operr.New("raise the version, and push again: its tags are new; or have the registry let go of them",
		"the registry keeps %s of %s where it is: %w", strings.Join(names, ", "), t.Plan.Repository, t.refused[names[0]]).WithDetail(others)
}

// goal is a tag with the digest that it is to have, and the one that it had.
type goal struct{ tag, digest, had string }

// do writes goals, as long as their tags have what was decided about; who sees another one looks at all of them again.
func (t *tagging) do(ctx context.Context, todo []goal) error {
	for _, g := range todo {
		has, err := t.digest(ctx, g.tag)
		if err != nil {
			return err
		}
		if has != g.had {
			return nil
		}
		if err := t.put(ctx, g.tag, g.digest); err != nil {
			return err
		}
	}
	return nil
}

// conclude is the end: what became of each tag.
func (t *tagging) conclude(now view) (string, error) {
	var moved, stay []string
	var why []Tag
	planned := map[string]bool{}
	for _, tag := range t.Plan.Tags {
		planned[tag.Name] = tag.Moves
	}
	t.Result.Tags = t.Result.Tags[:0]
	for _, tag := range now.tags {
		switch {
		case t.refused[tag.Name] != nil:
			tag = Tag{
				Name:   tag.Name,
				Moves:  false,
				Why:    "stays: the registry keeps it where it is",
				reason: "the registry keeps it where it is",
			}
		case tag.Name == RevisionTag(t.Plan.Revision):
			tag.Moves = t.written[tag.Name] != ""
		case now.held[tag.Name].Digest == t.Result.Digest:
			tag.Moves = t.written[tag.Name] == t.Result.Digest
		case tag.Moves:
			reason := "another job moves it to " + now.held[tag.Name].Digest
			tag = Tag{
				Name:   tag.Name,
				Moves:  false,
				Why:    "stays: " + reason + "; -tag=" + tag.Name + " moves it here",
				reason: reason,
			}
		}
		switch {
		case tag.Moves:
			moved = append(moved, tag.Name)
		case now.held[tag.Name].Digest == t.Result.Digest || tag.Name == RevisionTag(t.Plan.Revision):
			tag.Why = standsForImage
			stay = append(stay, tag.Name)
		default:
			stay = append(stay, tag.Name)
			if planned[tag.Name] {
				why = append(why, tag)
			}
		}
		t.Result.Tags = append(t.Result.Tags, tag)
	}
	return strings.Join(append([]string{describeMoves(moved, stay)}, explainStays(why)...), "; "), t.explainKept(moved...)
}

// explainStays are why tags stay, those of several tags once.
func explainStays(tags []Tag) (said []string) {
	names := map[string][]string{}
	var order []string
	for _, t := range tags {
		if names[t.reason] == nil {
			order = append(order, t.reason)
		}
		names[t.reason] = append(names[t.reason], t.Name)
	}
	for _, reason := range order {
		of := names[reason]
		if len(of) == 1 {
			said = append(said, fmt.Sprintf("%s stays: %s; -tag=%s moves it", of[0], reason, of[0]))
			continue
		}
		said = append(said, fmt.Sprintf("%s stay, each since %s; -tag=%s moves them", strings.Join(of, ", "), reason, strings.Join(of, ",")))
	}
	return said
}

func describeMoves(moved, stay []string) string {
	switch {
	case len(moved)+len(stay) == 0:
		return "none: only some platforms were built; `docker:merge` joins them"
	case len(moved) == 0:
		return "no tag moved: " + strings.Join(stay, ", ") + " stay"
	case len(stay) == 0:
		return strings.Join(moved, ", ")
	}
	return strings.Join(moved, ", ") + "; " + strings.Join(stay, ", ") + " stay"
}
