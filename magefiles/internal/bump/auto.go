package bump

import (
	"context"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// sinceTag is what happened to a package, or to all, since the last tag.
type sinceTag struct {
	last     *lastTag // nil: there is none
	commits  []Commit // that touched it, the newest first
	size     version.Size
	deciding []Commit // those that ask for this size, or for anything
	loose    int      // commits that are in no conventional form
}

// lastTag returns the tag of the highest version that is not above at. Pre-releases do not count.
func (p *planner) lastTag(ctx context.Context, name string, at version.Version) (*lastTag, error) {
	return p.newest(ctx, name, func(v version.Version) bool { return v.Compare(at) <= 0 && !v.Prerelease() })
}

// newest returns the tag of the highest version that counts; nil where there is none.
func (p *planner) newest(ctx context.Context, name string, counts func(version.Version) bool) (*lastTag, error) {
	tags, err := p.history.mergedTags(ctx)
	if err != nil {
		return nil, err
	}
	var last *lastTag
	for tag := range tags {
		text, ok := strings.CutPrefix(tag, tagPrefix(p.w, name))
		if !ok {
			continue
		}
		v, err := version.Parse(text)
		if err != nil || !counts(v) {
			continue
		}
		if last == nil || v.Compare(last.version) > 0 || v.Compare(last.version) == 0 && tag < last.name {
			last = &lastTag{name: tag, version: v}
		}
	}
	return last, nil
}

// sinceLastTag reads the commits since the last release that is not above at.
func (p *planner) sinceLastTag(ctx context.Context, at version.Version, name string, pkg *workspace.Package) (found sinceTag, err error) {
	if found.last, err = p.lastTag(ctx, name, at); err != nil {
		return found, err
	}
	p.history.assignFolders(p.w)
	since := ""
	if found.last != nil {
		since = found.last.name
	}
	all, err := p.history.since(ctx, since)
	if err != nil {
		return found, err
	}
	for _, c := range all {
		if !p.touches(c, pkg) {
			continue
		}
		found.commits = append(found.commits, c)
		size := c.size(at)
		if c.change().Kind == "" {
			found.loose++
		}
		if size != version.None {
			found.deciding = append(found.deciding, c)
		}
		found.size = max(found.size, size)
	}
	return found, nil
}

// touches reports whether a commit touched a package, or any for nil.
func (p *planner) touches(c Commit, pkg *workspace.Package) bool {
	for _, file := range c.Paths {
		for _, owner := range p.history.findOwners(file) {
			if pkg == nil || owner == pkg.Name {
				return true
			}
		}
	}
	return false
}

// autoGoal is the release that the commits ask for. A version that is in the manifests and was never released stays, if it
// is high enough for what was committed. tell says that a version which stays is worth a note.
func (p *planner) autoGoal(at version.Version, found sinceTag, tell bool) (version.Version, []Reason, error) {
	since := "at all"
	if found.last != nil {
		since = "since " + found.last.name
	}
	if found.size == version.None {
		note := fmt.Sprintf("nothing to release: %s %s, and none is a feat, a fix or breaking", operr.Count(len(found.commits), "commit"), since)
		if found.loose > 0 {
			note += fmt.Sprintf(" (%d say in no conventional form what they are)", found.loose)
		}
		if p.idle = tell; tell {
			p.note("%s", note)
		}
		return at, nil, nil
	}
	goal := at.Release()
	if found.last != nil {
		goal = found.last.version.Next(found.size)
	}
	if goal.Compare(at) <= 0 {
		p.note("%s is not released yet (there is no tag for it), and covers %s", at, operr.Count(len(found.commits), "commit"))
		return at, nil, nil
	}
	text := fmt.Sprintf("a %s version, by %s %s", found.size, operr.Count(len(found.deciding), "commit"), since)
	return goal, []Reason{{Kind: ByCommit, Text: text, Commits: found.deciding}}, nil
}
