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

// change is one change to make.
type change struct {
	kind  kind
	to    Found    // the release; zero to create it
	file  Asset    // file to attach
	asset Attached // asset to delete
}

// String describes a change. Different changes have different descriptions.
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

// plan lists the next changes to make, up to the point where the state must be read again. An empty plan means that the release is published and
// complete.
type plan struct {
	changes []change
	left    []string // descriptions of other files and drafts, which are left alone
}

func (p *plan) add(k kind, to Found) { p.changes = append(p.changes, change{kind: k, to: to}) }

// newPlan decides what to change. Its errors are final, and their next steps are for the user.
func (c *Client) newPlan(s State, r Release) (plan, error) {
	switch {
	case s.Commit == "":
		return plan{}, operr.New("push the tag first: otherwise GitHub would make the tag at the last commit of the default branch", "%s has no tag %s", c.repository, r.Tag)
	case s.Commit != r.Commit:
		return plan{}, operr.NewStopped("find out who moved the tag: a moved tag must not be released", "the tag %s of %s is at %.12s on GitHub, but at %.12s here", r.Tag, c.repository, s.Commit, r.Commit)
	case s.Published != nil:
		return complete(s, r)
	}
	chosen, p := choose(s.Drafts, r)
	if chosen == nil && len(s.Drafts) > 0 {
		return plan{}, operr.NewStopped("delete the draft; or publish the draft and run this command again, which attaches the missing files. The draft is at "+s.Drafts[0].URL,
			"GitHub has a draft for %s whose name or notes differ from this release's: someone else made or changed the draft", r.Tag)
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

// choose returns our draft with the most files, and the oldest among equals, so that two runs choose the same draft. Our other empty drafts are
// deleted. They were left by a run that was killed before it got the response, or by a concurrent run. All other drafts are left alone.
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

// `ours` reports whether a run of this release created a draft. GitHub changes line endings and trailing spaces.
func ours(d Found, r Release) bool {
	same := func(a, b string) bool {
		return strings.TrimSpace(strings.ReplaceAll(a, "\r\n", "\n")) == strings.TrimSpace(strings.ReplaceAll(b, "\r\n", "\n"))
	}
	return d.Draft && same(d.Name, r.name()) && same(d.Notes, r.Notes) && d.Prerelease == r.Prerelease
}

// fill plans to attach the files that a draft lacks. An asset with our name but different bytes, or an incomplete upload, is deleted first.
func (p *plan) fill(to Found, r Release) {
	for _, f := range r.Files {
		a := findAsset(to, f)
		switch {
		case a == nil:
			p.changes = append(p.changes, change{kind: attach, to: to, file: f})
		case !is(*a, f):
			p.changes = append(p.changes, change{kind: discard, to: to, asset: *a}, change{kind: attach, to: to, file: f})
		}
	}
	p.strangers(to, r)
}

// complete plans to add the files that a published release lacks, and changes no other file.
func complete(s State, r Release) (p plan, err error) {
	to := *s.Published
	for _, f := range r.Files {
		a := findAsset(to, f)
		switch {
		case a == nil && to.Immutable:
			return p, operr.New("release a higher version: an immutable release cannot be completed", "the release %s is published without %s, and is immutable", r.Tag, f.Name)
		case a == nil:
			p.changes = append(p.changes, change{kind: attach, to: to, file: f})
		case a.Half:
			return p, operr.NewStopped("delete this asset by hand, and run this command again. The release is at "+to.URL,
				"the release %s is published with an incomplete upload of %s", r.Tag, f.Name)
		case !is(*a, f):
			return p, operr.NewStopped("find out which file is right. Published files are not replaced, so release a higher version, or correct the GitHub release by hand at "+to.URL,
				"the release %s is published with a different file %s: sha256 %.12s on GitHub (%d bytes), %.12s here (%d bytes)", r.Tag, f.Name, a.SHA256, a.Size, f.SHA256, f.Size)
		}
	}
	p.sweep(s.Drafts, nil, r)
	p.strangers(to, r)
	return p, nil
}

// strangers records attached files that are not part of this release.
func (p *plan) strangers(to Found, r Release) {
	for _, a := range to.Assets {
		if !slices.ContainsFunc(r.Files, func(f Asset) bool { return AssetName(f.Name) == a.Name || f.Name == a.Name }) {
			p.left = append(p.left, a.Name+" is attached to "+r.Tag+", but is not a file of this release")
		}
	}
}

// findAsset finds the asset that has a file's name.
func findAsset(to Found, f Asset) *Attached {
	for i, a := range to.Assets {
		if a.Name == f.Name || a.Name == AssetName(f.Name) {
			return &to.Assets[i]
		}
	}
	return nil
}

// `is` reports whether an asset has the bytes of a file.
func is(a Attached, f Asset) bool { return !a.Half && a.Size == f.Size && a.SHA256 == f.SHA256 }
