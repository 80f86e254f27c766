package plan

import (
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// SameChannel is what to do where the channel is not the one that a release was begun for.
const SameChannel = "set PREFIX_SERVER_URL and PREFIX_CHANNEL as they were then, or [tool.release] channel"

// RefuseOther refuses to begin a release beside one that is unfinished, or may be, as far as it can be seen from here. to is which one is
// asked for.
func (p *Plan) RefuseOther(to string) error {
	if p.Unseen != nil {
		return operr.NewStopped("where it is private, set what it is read with, such as PREFIX_API_KEY, and run it again; `mage release` without -to goes on with "+p.Title,
			"%s is tagged on %s, and whether it is released cannot be told: %s is not there for anyone (%v); -to=%s asks for another one, and nothing was changed",
			p.Title, p.Remote, p.Channel, p.Unseen, to).WithWayOn()
	}
	return operr.NewStopped("`mage release` without -to goes on with it, `mage undo` takes it back or, once something was uploaded, gives it up", "the release of %s is unfinished, and -to=%s asks for another one; nothing was changed", p.Title, to).WithWayOn()
}

// ByPullRequest is the way to release where a branch is protected.
func (p *Plan) ByPullRequest() string {
	req := p.Bump.Request
	bump, only, where := "mage version:bump -to="+p.word(), "", "release-"+p.word()
	if req.Only != "" {
		only = " -only=" + req.Only
	}
	if len(p.Tags) > 1 {
		bump, where = "mage version:bump -to="+req.To, "release"
	}
	bump += only
	if req.Changelog && (len(p.Tags) == 1 || req.To != "auto") { // auto writes it by itself
		bump += " -changelog"
	}
	release := "`mage release -to=" + p.word() + only + "`"
	if len(p.Tags) > 1 {
		release = "`mage release -to=VERSION -only=NAME` for each package that moved"
	}
	return "`mage undo`, `git switch -c " + where + "`, `" + bump + " -commit`, push that branch, have it merged, `git switch " + operr.Word(p.Branch) + "`, `git pull`, and " + release
}

// word is the version of a release of one tag.
func (p *Plan) word() string {
	if len(p.Tags) == 0 {
		return ""
	}
	return bump.VersionOf(p.Tags[0])
}
