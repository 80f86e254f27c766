package image

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/version"
)

// Tag is one name that an image is to have.
type Tag struct {
	Name  string `json:"name"`
	Moves bool   `json:"moves"` // the name is given to the image, or taken from another one
	Why   string `json:"why"`   // in words that follow the name

	reason string // why it stays, where -tag moves it: what Why says between "stays" and how to move it
}

// stay is a tag that stays for a reason, unless a person names it.
func stay(name, format string, args ...any) Tag {
	reason := fmt.Sprintf(format, args...)
	return Tag{
		Name:   name,
		Moves:  false,
		Why:    "stays: " + reason + "; -tag=" + name + " moves it",
		reason: reason,
	}
}

// Held is what a tag of a registry stands for, as the labels of its image say. They count where a plan wrote them: an image that
// was made in another way has those of its base image, such as the version of Ubuntu.
type Held struct {
	Version  string // "" where no plan says it
	Revision string // likewise
	Digest   string // of what the tag stands for
	Order    Order  // how Revision stands to ours; see [History.Order]
}

// standsForCommit is said of a tag that moves only where another image is made of the commit.
const standsForCommit = "stands for this commit"

// Latest is the tag of the newest release.
const Latest = "latest"

// listLadder are the tags that the image of a version may have, beside that of its revision: the version itself and, for a
// release, those that move from one release to the next.
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

// RevisionTag names the image of a commit, or of one with changes.
func RevisionTag(revision string) string {
	commit, changed := strings.CutSuffix(revision, dirty)
	tag := "sha-" + commit[:min(12, len(commit))]
	if changed {
		tag += dirty
	}
	return tag
}

// Ladder says which tags the image of a version, made of a commit, gets in a registry that has these tags. held knows what
// those of them stand for that Ladder may have to take away (see Candidates), and how their commits stand to ours.
//
// A tag only ever moves forward: to a higher version, or to a commit of the same one that is made on the one it has. So a backport moves what is
// its own (1.2 and 1, where nothing newer has them) and leaves the rest; a pre-release moves nothing but its own tag. Of an
// image whose version cannot be compared it is not known what would be forward: its tag stays until a person names it.
//
// The exact tag of a version of two numbers, 2026.11, is what its hotfixes, 2026.11.1, would move. Who came first has it: the
// release keeps it, and takes it from no hotfix.
func Ladder(v version.Version, revision string, have []string, held map[string]Held) []Tag {
	exact, moving := listLadder(v)
	tags := []Tag{{Name: RevisionTag(revision), Moves: true, Why: "names the commit"}}
	tags = append(tags, decideExact(exact, v, revision, held))
	for _, name := range moving {
		tags = append(tags, decideMoving(name, v, revision, have, held))
	}
	return tags
}

// Candidates are the tags of Ladder, whose present images it wants to know; none where the registry does not decide about the plan's tags.
func (p *Plan) Candidates() []string {
	if p.named || p.Partial || p.Dirty() {
		return nil
	}
	exact, moving := listLadder(p.version)
	return append([]string{exact}, moving...)
}

// decideExact is the tag of a version itself: people name it who want that version and no other, so that it is taken from
// nothing but an earlier image of it.
func decideExact(name string, v version.Version, revision string, held map[string]Held) Tag {
	h, there := held[name]
	has, err := parseSpelled(h.Version)
	switch {
	case !there:
		return Tag{Name: name, Moves: true, Why: "is new"}
	case h.Version == "":
		return stay(name, "its image does not say its version")
	case err != nil || has.Compare(v) != 0:
		return stay(name, "it has %s, and not %s", h.Version, v)
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
		return stay(name, "the registry has %s", newest)
	}
	h, there := held[name]
	if !there {
		return Tag{Name: name, Moves: true, Why: "is new"}
	}
	if h.Version == "" {
		return Tag{Name: name, Moves: true, Why: "moves from an image that does not say its version"}
	}
	has, err := parseSpelled(h.Version)
	switch {
	case err != nil:
		return stay(name, "it has %s, which cannot be compared with %s", h.Version, v)
	case isItself(name, has):
		return stay(name, "it is the release %s", name)
	case has.Compare(v) > 0:
		return stay(name, "it has %s", h.Version)
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

// isItself reports whether a moving tag stands for a version of its own name: 2026.11 for the release 2026.11, whose exact tag
// it is, and not for 2026.11.0 or 2026.11.1.
func isItself(name string, has version.Version) bool {
	return version.Same(name, has.String()) && strings.Count(name, ".") == strings.Count(has.String(), ".")
}

// parseSpelled reads a version as tags and labels have it: some tools keep the v of a git tag.
func parseSpelled(text string) (version.Version, error) {
	return version.Parse(strings.TrimPrefix(text, "v"))
}

// findNewest is the highest release among tags that a moving tag of v may stand for. Shorter tags, such as 1.2, count as
// the lowest version that they may stand for: whatever they stand for is at least that.
//
// A tag of one number may be a date (20240501), a run, or a commit whose abbreviation has no letter, and would hold latest
// back for ever. It counts where a longer tag begins with it, as 1.2 does with 1, or where v has one number too. A calendar's
// tag beside versions that are not the calendar's (2026.11.28 beside 1.2.3) is of another scheme, and higher than all of them.
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

// isDated reports whether a version is a calendar's: it begins with a year, or with a date without points, or has a month or day with
// a zero before it, as Ubuntu's 24.04.
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

// collectBeginnings are the first numbers of all tags of several.
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

// isWithin reports whether a version begins with the numbers of a shorter one: 1.2.3 with 1.2, however they are spelled.
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
