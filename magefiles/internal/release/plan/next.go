package plan

import (
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// SameChannel is the next step if the channel has changed since a release was begun.
const SameChannel = "set PREFIX_SERVER_URL and PREFIX_CHANNEL, or `channel` in [tool.release], to the earlier channel again"

// RefuseOther returns the error for a request for version `to` while this release is, or may be, unfinished.
func (p *Plan) RefuseOther(to string) error {
	if p.Unseen != nil {
		return operr.NewStopped("if the channel is private, set a credential that can read the channel, such as PREFIX_API_KEY, and run this command again; to continue "+p.Title+", run `mage release` without -to",
			"%s is tagged on %s, but it is not known whether the release is complete: the channel %s is not visible without a credential (%v); -to=%s asks for another release; nothing was changed",
			p.Title, p.Remote, p.Channel, p.Unseen, to).WithWayOn()
	}
	return operr.NewStopped("run `mage release` without -to to continue the unfinished release, or `mage undo` to undo the release (if something was uploaded, `mage undo` abandons the release)", "the release of %s is unfinished, but -to=%s asks for another release; nothing was changed", p.Title, to).WithWayOn()
}

// ByPullRequest returns commands for making this release on a protected branch, through a pull request.
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
	if req.Changelog && (len(p.Tags) == 1 || req.To != "auto") { // auto always writes the changelog
		bump += " -changelog"
	}
	release := "`mage release -to=" + p.word() + only + "`"
	if len(p.Tags) > 1 {
		release = "`mage release -to=VERSION -only=NAME` for each package that moved"
	}
	return "run `mage undo`, `git switch -c " + where + "`, and `" + bump + " -commit`; push this branch; after it is merged, run `git switch " + operr.Word(p.Branch) + "`, `git pull`, and " + release
}

// word returns the version if the release has only one tag.
func (p *Plan) word() string {
	if len(p.Tags) == 0 {
		return ""
	}
	return bump.VersionOf(p.Tags[0])
}
