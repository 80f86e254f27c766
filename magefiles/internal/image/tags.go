package image

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/version"
)

// Tag is a proposed tag for an image.
type Tag struct {
	Name  string `json:"name"`
	Moves bool   `json:"moves"` // the tag is created, or moved from another image
	Why   string `json:"why"`   // text printed after the name

	reason string // why the tag does not move, if -tag can move it; part of Why
}

// stay returns a tag that does not move, with the reason, unless the user requests it with -tag.
func stay(name, format string, args ...any) Tag {
	reason := fmt.Sprintf(format, args...)
	return Tag{
		Name:   name,
		Moves:  false,
		Why:    "stays: " + reason + "; -tag=" + name + " moves it",
		reason: reason,
	}
}

// Held describes the image that a registry's tag points to, based on the image's labels. Labels are ignored unless a plan wrote them, because other
// images inherit the labels of their base image, such as Ubuntu's version.
type Held struct {
	Version  string // "" if no plan wrote the labels
	Revision string // "" if no plan wrote the labels
	Digest   string // digest of the image or index
	Order    Order  // order of Revision relative to our commit; see [History.Order]
}

// standsForCommit is the reason for a tag that moves only if its commit is rebuilt.
const standsForCommit = "already points to this commit"

// Latest is the tag of the newest release.
const Latest = "latest"

// listLadder returns the tags that an image may have for its version: the version itself and, for a release, the tags that move from release to
// release. The commit's tag is not included.
func listLadder(v version.Version) (exact string, moving []string) {
	if v.Prerelease() {
		return v.String(), nil
	}
	release, _, _ := strings.Cut(v.String(), ".post")
	parts := strings.Split(release, ".")
	for n := min(2, len(parts)-1); n > 0; n-- {
		moving = append(moving, strings.Join(parts[:n], "."))
	}
	return v.String(), append(moving, Latest)
}

// RevisionTag returns the tag for a commit, with or without uncommitted changes.
func RevisionTag(revision string) string {
	commit, changed := strings.CutSuffix(revision, dirty)
	tag := "sha-" + commit[:min(12, len(commit))]
	if changed {
		tag += dirty
	}
	return tag
}

// Ladder chooses the tags for an image of a version, built from a commit. `have` lists the registry's tags. `held` describes the images that the tags
// in Candidates point to now, and how their commits relate to ours.
//
// A tag only moves forward: to a higher version, or to a descendant commit of the same version. So a backport moves its own tags (1.2 and 1, unless
// a newer release has them) but no others, and a pre-release moves only its own tag. If the version of a tag's image cannot be compared, there is
// no way to tell what forward means, and the tag does not move until a user requests it.
//
// The exact tag of a two-number version, such as 2026.11, is also a moving tag of its hotfixes, such as 2026.11.1. The release never takes the tag
// back from a hotfix.
func Ladder(v version.Version, revision string, have []string, held map[string]Held) []Tag {
	exact, moving := listLadder(v)
	tags := []Tag{{Name: RevisionTag(revision), Moves: true, Why: "names the commit"}}
	tags = append(tags, decideExact(exact, v, revision, held))
	for _, name := range moving {
		tags = append(tags, decideMoving(name, v, revision, have, held))
	}
	return tags
}

// Candidates returns the tags whose current images Ladder needs. It returns nil if the plan's tags do not depend on the registry.
func (p *Plan) Candidates() []string {
	if p.named || p.Partial || p.Dirty() {
		return nil
	}
	exact, moving := listLadder(p.version)
	return append([]string{exact}, moving...)
}

// decideExact decides whether the version's own tag moves. Users of this tag expect exactly that version, so it moves only from an earlier image of
// the same version.
func decideExact(name string, v version.Version, revision string, held map[string]Held) Tag {
	h, there := held[name]
	has, err := parseSpelled(h.Version)
	switch {
	case !there:
		return Tag{Name: name, Moves: true, Why: "is new"}
	case h.Version == "":
		return stay(name, "the version of its image is unknown")
	case err != nil || has.Compare(v) != 0:
		return stay(name, "it points to %s, not to %s", h.Version, v)
	}
	if reason := h.explainStay(revision); reason != "" {
		return stay(name, "%s", reason)
	}
	if h.order(revision) == Same {
		return Tag{Name: name, Moves: true, Why: standsForCommit}
	}
	return Tag{Name: name, Moves: true, Why: "moves to the later commit of the same version"}
}

func decideMoving(name string, v version.Version, revision string, have []string, held map[string]Held) Tag {
	if newest, ok := findNewest(name, v, have); ok && newest.Compare(v) > 0 {
		return stay(name, "the registry has the newer version %s", newest)
	}
	h, there := held[name]
	if !there {
		return Tag{Name: name, Moves: true, Why: "is new"}
	}
	if h.Version == "" {
		return Tag{Name: name, Moves: true, Why: "moves from an image of an unknown version"}
	}
	has, err := parseSpelled(h.Version)
	switch {
	case err != nil:
		return stay(name, "it points to %s, which cannot be compared with %s", h.Version, v)
	case isItself(name, has):
		return stay(name, "it is the tag of the release %s", name)
	case has.Compare(v) > 0:
		return stay(name, "it points to %s", h.Version)
	case has.Compare(v) < 0:
		return Tag{Name: name, Moves: true, Why: "moves from " + h.Version}
	}
	if reason := h.explainStay(revision); reason != "" {
		return stay(name, "%s", reason)
	}
	if h.order(revision) == Same {
		return Tag{Name: name, Moves: true, Why: standsForCommit}
	}
	return Tag{Name: name, Moves: true, Why: "moves from " + h.Version}
}

// isItself reports whether a moving tag's image has a version with the same spelling as the tag: for the tag 2026.11, the release 2026.11, but not
// 2026.11.0 or 2026.11.1.
func isItself(name string, has version.Version) bool {
	return version.Same(name, has.String()) && strings.Count(name, ".") == strings.Count(has.String(), ".")
}

// parseSpelled parses a version from a tag or label. It accepts a leading v, which some tools copy from git tags.
func parseSpelled(text string) (version.Version, error) {
	return version.Parse(strings.TrimPrefix(text, "v"))
}

// findNewest returns the highest release in `have` that the moving tag may point to. A shorter tag, such as 1.2, counts as the lowest version that it
// can stand for.
//
// A tag with a single number may be a date (20240501), a run number, or an abbreviated commit without letters, and would block latest forever. It
// is ignored unless a longer tag starts with it, as 1.2 does with 1, or v also has a single number. Similarly, a calendar version among other
// versions (2026.11.28 next to 1.2.3) belongs to a different scheme and would be higher than all of them. It is ignored unless v is a calendar
// version too.
func findNewest(moving string, v version.Version, have []string) (newest version.Version, ok bool) {
	alone := !strings.Contains(v.Release().String(), ".")
	begun, calendar := collectBeginnings(have), isDated(v.String())
	for _, tag := range have {
		has, err := parseSpelled(tag)
		if err != nil || has.Prerelease() || moving != Latest && !isWithin(has.String(), moving) {
			continue
		}
		if !calendar && isDated(tag) {
			continue
		}
		if one := has.Release().String(); !strings.Contains(one, ".") && !alone && !begun[one] {
			continue
		}
		if !ok || has.Compare(newest) > 0 {
			newest, ok = has, true
		}
	}
	return newest, ok
}

// isDated reports whether a version is a calendar version: it starts with a year or an undotted date, or its month or day has a leading zero, as in
// Ubuntu's 24.04.
func isDated(text string) bool {
	parts := strings.Split(strings.TrimPrefix(text, "v"), ".")
	first := parts[0]
	if len(first) == 6 || len(first) == 8 {
		first = first[:4]
	}
	year, err := strconv.Atoi(first)
	if err == nil && len(first) == 4 && year >= 1990 && year < 2200 {
		return true
	}
	return slices.ContainsFunc(parts[1:], func(part string) bool { return len(part) > 1 && part[0] == '0' && part[1] >= '0' && part[1] <= '9' })
}

// collectBeginnings maps the first number of each tag to whether any tag with that number has further numbers.
func collectBeginnings(tags []string) map[string]bool {
	begun := map[string]bool{}
	for _, tag := range tags {
		if v, err := parseSpelled(tag); err == nil {
			first, _, several := strings.Cut(v.Release().String(), ".")
			begun[first] = begun[first] || several
		}
	}
	return begun
}

// isWithin reports whether a version starts with the numbers of a shorter version, as 1.2.3 does with 1.2. Spelling is ignored.
func isWithin(tag, short string) bool {
	parts := strings.Split(tag, ".")
	for i, want := range strings.Split(short, ".") {
		if i >= len(parts) {
			return false
		}
		got, err1 := strconv.ParseUint(parts[i], 10, 32)
		number, err2 := strconv.ParseUint(want, 10, 32)
		if err1 != nil || err2 != nil || got != number {
			return false
		}
	}
	return true
}
