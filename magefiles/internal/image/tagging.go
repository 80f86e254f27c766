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

// maxRounds limits how many times a job reads the tags before it gives up because other jobs keep moving them.
const maxRounds = 12

// tagging moves the tags of one job. Other jobs may move tags at the same time, and the registry has no locks. So after writing, the job reads the
// tags again, and repeats until there is nothing left to do. Each job writes its commit's tag, which no other job takes, before it reads the moving
// tags. So the job that writes last sees what it has overwritten, and reacts to what has appeared meanwhile:
//
//	one of our tags, moved to a commit of our version: that image gets the other tags too, even if our git lacks the commit
//	a higher release: its image gets the moving tags that it may have
//	the tag of a commit that git knows as a later commit of the same version: that image gets our tags
//
// A job gives another job's image only tags that it has written itself, or would write.
//
// Tags from before the plan are not considered, because a user may have moved them back with -tag. This leaves one gap, if both jobs move only
// one tag, such as the tag of a pre-release. A newer job has written its commit's tag, but not yet the other one, when we make our plan, and our
// PUT of that tag is delayed until the newer job has ended. We have then overwritten the only trace of the newer job, and the registry looks as if a
// user had moved the tag back before our plan. With two or more tags, the second one reveals the newer job. Closing the gap would require
// a job to leave a marker when it ends, and no image tag can serve as one.
type tagging struct {
	*Job
	written map[string]string // digest that this job last wrote, by tag
	first   map[string]string // digest when the plan was made, by tag; seen is the fallback
	seen    map[string]string // digest when this job first looked, by tag
	refused map[string]error  // tags that the registry refused to move
	last    []goal            // goals of the previous round
	unmoved int               // number of consecutive rounds with unchanged goals
}

// tag moves the tags according to the registry's current content, which may have changed since the plan was made.
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
	return "", operr.New("run the same command again when the other jobs have ended: nothing is lost",
		"the tags of %s could not be set, because other jobs moved them after each attempt", j.Plan.Repository)
}

// maxUnmoved limits the number of consecutive rounds with unchanged goals. The job waits for firstWait in the first of them, and doubles the wait
// each time.
const (
	maxUnmoved = 5
	firstWait  = 100 * time.Millisecond
)

// waitWhereSame waits if the goals are the same as in the previous round, because the registry, or a cache in front of it, does not yet show the
// new tags. After maxUnmoved rounds it returns an error that blames the registry, not other jobs.
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
		return operr.New("check whether a cache between you and the registry returns old tags; then run the same command again: nothing is lost",
			"the registry accepted the tags %s for %s, but still shows their old images", strings.Join(names, ", "), t.Plan.Repository)
	}
	return t.Registry.Shown.Rest(ctx, firstWait<<(t.unmoved-1))
}

// giveNamed gives the image the explicitly requested tags, regardless of where they point now.
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
			return "", operr.New("run the same command again if the tag should point to this image", "another job moved %s:%s to %s at the same time", t.Plan.Repository, name, now)
		}
	}
	return describeMoves(moved, stay), t.explainKept(moved...)
}

// standsForImage is the reason for a tag that does not need to move.
const standsForImage = "already points to this image"

// digest returns the digest that a tag points to, or "" if the tag does not exist.
func (t *tagging) digest(ctx context.Context, tag string) (string, error) {
	now, err := t.Registry.Digest(ctx, t.Plan.Repository+":"+tag)
	if errors.Is(err, registry.ErrNotFound) {
		return "", nil
	}
	return now, err
}

// write points a tag at an image, unless it already does.
func (t *tagging) write(ctx context.Context, tag, digest string) error {
	now, err := t.digest(ctx, tag)
	if err != nil || now == digest {
		return err
	}
	return t.put(ctx, tag, digest)
}

// put points a tag at an image. If the registry refuses to move the tag, put records the refusal and returns nil, so that the other tags still
// move.
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

// explainKept returns an error if the registry refused to move some tags. `moved` lists the tags that did move.
func (t *tagging) explainKept(moved ...string) error {
	if len(t.refused) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(t.refused))
	others := "no tag moved"
	if len(moved) > 0 {
		others = "other tags moved: " + strings.Join(moved, ", ")
	}
	return operr.New("raise the version, and push again, because a new version has new tags; or allow the registry to move these tags",
		"the registry refused to move the tags %s of %s: %w", strings.Join(names, ", "), t.Plan.Repository, t.refused[names[0]]).WithDetail(others)
}

// goal is a tag with its target digest and its previous digest.
type goal struct{ tag, digest, had string }

// `do` writes the goals. It stops at the first tag that has changed in the meantime, and the caller then looks at all tags again.
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

// conclude reports what happened to each tag.
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
				Why:    "stays: the registry refused to move it",
				reason: "the registry refused to move it",
			}
		case tag.Name == RevisionTag(t.Plan.Revision):
			tag.Moves = t.written[tag.Name] != ""
		case now.held[tag.Name].Digest == t.Result.Digest:
			tag.Moves = t.written[tag.Name] == t.Result.Digest
		case tag.Moves:
			reason := "another job moved it to " + now.held[tag.Name].Digest
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

// explainStays returns the reasons for tags that do not move. Tags with the same reason share one text.
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
		said = append(said, fmt.Sprintf("%s stay, each because %s; -tag=%s moves them", strings.Join(of, ", "), reason, strings.Join(of, ",")))
	}
	return said
}

func describeMoves(moved, stay []string) string {
	switch {
	case len(moved)+len(stay) == 0:
		return "none, because only some platforms were built; `mage docker:merge` joins the images of all platforms"
	case len(moved) == 0:
		return "no tag moved: " + strings.Join(stay, ", ") + " stay"
	case len(stay) == 0:
		return strings.Join(moved, ", ")
	}
	return strings.Join(moved, ", ") + "; " + strings.Join(stay, ", ") + " stay"
}
