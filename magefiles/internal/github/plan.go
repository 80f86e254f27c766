package github

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// kind is a kind of change.
type kind string

const (
	create  kind = "create a draft"
	drop    kind = "delete the empty draft"
	discard kind = "delete the asset"
	attach  kind = "attach"
	publish kind = "publish"
)

// change is one thing to do.
type change struct {
	kind  kind
	to    Found    // the release; zero for create
	file  Asset    // for attach
	asset Attached // for discard
}

// String is for people, and tells one change from another.
func (c change) String() string {
	switch c.kind {
	case attach:
		return fmt.Sprintf("%s %s", c.kind, c.file.Name)
	case discard:
		return fmt.Sprintf("%s %s (%d)", c.kind, c.asset.Name, c.asset.ID)
	case drop:
		return fmt.Sprintf("%s %d", c.kind, c.to.ID)
	}
	return string(c.kind)
}

// plan is what is to be done next to get from what is there to a release: all of it or, where more can only be known
// after another look, the first part. Nothing to do means that the release is published and complete.
type plan struct {
	changes []change
	left    []string // what is there beside it and is left alone, for people
}

func (p *plan) add(k kind, to Found) { p.changes = append(p.changes, change{kind: k, to: to}) }

// newPlan decides. Errors are final, and say what a person has to do.
func (c *Client) newPlan(s State, r Release) (plan, error) {
	switch {
	case s.Commit == "":
		return plan{}, operr.New("push the tag first: publishing would make it, wherever the default branch is by then", "%s has no tag %s", c.repository, r.Tag)
	case s.Commit != r.Commit:
		return plan{}, operr.NewStopped("see who has moved it: it must not be released as it is", "the tag %s of %s names %.12s there, and %.12s here", r.Tag, c.repository, s.Commit, r.Commit)
	case s.Published != nil:
		return complete(s, r)
	}
	chosen, p := choose(s.Drafts, r)
	if chosen == nil && len(s.Drafts) > 0 {
		return plan{}, operr.NewStopped("delete it, or publish it as it is: what is missing is attached then; "+s.Drafts[0].URL,
			"there is a draft for %s with another name or other notes: somebody else has made it, or changed it", r.Tag)
	}
	if chosen == nil {
		p.add(create, Found{})
		return p, nil
	}
	p.fill(*chosen, r)
	if len(p.changes) == 0 {
		p.add(publish, *chosen)
	}
	return p, nil
}

// choose takes one of our drafts: the fullest, and of those the oldest, so that two runs choose the same. Others of ours
// that are empty go: they come of a kill between a creation and its answer, or of two runs at once. All the rest is left.
func choose(drafts []Found, r Release) (chosen *Found, p plan) {
	for i, d := range drafts {
		if ours(d, r) && (chosen == nil || len(d.Assets) > len(chosen.Assets)) {
			chosen = &drafts[i]
		}
	}
	p.sweep(drafts, chosen, r)
	return chosen, p
}

func (p *plan) sweep(drafts []Found, chosen *Found, r Release) {
	for i, d := range drafts {
		switch {
		case chosen == &drafts[i]:
		case ours(d, r) && len(d.Assets) == 0:
			p.add(drop, d)
		default:
			p.left = append(p.left, "another draft for "+r.Tag+", "+d.URL)
		}
	}
}

// ours recognizes a draft that a run of this release has made. GitHub gives line ends and spaces at the end back in a way
// of its own.
func ours(d Found, r Release) bool {
	same := func(a, b string) bool {
		return strings.TrimSpace(strings.ReplaceAll(a, "\r\n", "\n")) == strings.TrimSpace(strings.ReplaceAll(b, "\r\n", "\n"))
	}
	return d.Draft && same(d.Name, r.name()) && same(d.Notes, r.Notes) && d.Prerelease == r.Prerelease
}

// fill attaches to a draft what is missing. What has our name and other bytes, or is the half of an upload, goes first.
func (p *plan) fill(to Found, r Release) {
	for _, f := range r.Files {
		a := attached(to, f)
		switch {
		case a == nil:
			p.changes = append(p.changes, change{kind: attach, to: to, file: f})
		case !is(*a, f):
			p.changes = append(p.changes, change{kind: discard, to: to, asset: *a}, change{kind: attach, to: to, file: f})
		}
	}
	p.strangers(to, r)
}

// complete adds to a published release what it lacks, and touches nothing that is there.
func complete(s State, r Release) (p plan, err error) {
	to := *s.Published
	for _, f := range r.Files {
		a := attached(to, f)
		switch {
		case a == nil && to.Immutable:
			return p, operr.New("raise the version: a release that is immutable cannot be completed", "the release %s is published without %s, and immutable", r.Tag, f.Name)
		case a == nil:
			p.changes = append(p.changes, change{kind: attach, to: to, file: f})
		case a.Half:
			return p, operr.NewStopped("delete that asset by hand and run it again; "+to.URL,
				"the release %s is published with the half of an upload of %s", r.Tag, f.Name)
		case !is(*a, f):
			return p, operr.NewStopped("find out which are right; published bytes are not replaced: raise the version, or correct the release by hand; "+to.URL,
				"the release %s is published with other bytes for %s: sha256 %.12s there (%d bytes), %.12s here (%d bytes)", r.Tag, f.Name, a.SHA256, a.Size, f.SHA256, f.Size)
		}
	}
	p.sweep(s.Drafts, nil, r)
	p.strangers(to, r)
	return p, nil
}

// strangers names what is attached and is not of this release.
func (p *plan) strangers(to Found, r Release) {
	for _, a := range to.Assets {
		if !slices.ContainsFunc(r.Files, func(f Asset) bool { return AssetName(f.Name) == a.Name || f.Name == a.Name }) {
			p.left = append(p.left, a.Name+" is attached to "+r.Tag+" and was not by this release")
		}
	}
}

// attached finds the asset that bears a file's name.
func attached(to Found, f Asset) *Attached {
	for i, a := range to.Assets {
		if a.Name == f.Name || a.Name == AssetName(f.Name) {
			return &to.Assets[i]
		}
	}
	return nil
}

// is compares bytes.
func is(a Attached, f Asset) bool { return !a.Half && a.Size == f.Size && a.SHA256 == f.SHA256 }
