package bump

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// lastTag is a tag that names a version.
type lastTag struct {
	name    string
	version version.Version
}

// sinceTag is what happened to a package, or to all, since the last tag.
type sinceTag struct {
	last     *lastTag // nil: there is none
	size     version.Size
	deciding []*Commit // those that ask for something
	tally
}

// tally counts commits, by what became of them.
type tally struct {
	all      int // without merges that say nothing
	touching int // the package, or any
	off      int // of those: they are taken back, or take back
	loose    int // they say in no conventional form what they are
	quiet    int // they are of a kind that asks for nothing
}

// lastTag returns the tag of the last release: of the highest version that is not above at, or, where the manifests were left behind, of
// a higher one. Such a one is of the same major version, or there is none below. Pre-releases do not count.
func (p *planner) lastTag(ctx context.Context, name string, at version.Version) (*lastTag, error) {
	below, err := p.newest(ctx, name, func(v version.Version) bool { return v.Compare(at) <= 0 && !v.Prerelease() })
	if err != nil {
		return nil, err
	}
	above, err := p.newest(ctx, name, func(v version.Version) bool {
		return v.Compare(at) > 0 && !v.Prerelease() && (below == nil || v.Compare(at.Release().Next(version.Major)) < 0)
	})
	return cmp.Or(above, below), err
}

// newest returns the tag of the highest version that counts; nil where there is none.
func (p *planner) newest(ctx context.Context, name string, counts func(version.Version) bool) (*lastTag, error) {
	tags, err := p.history.Merged(ctx)
	if err != nil {
		return nil, err
	}
	var last *lastTag
	for tag := range tags {
		v, ok := p.tagged(name, tag)
		if ok && counts(v) && (last == nil || v.Compare(last.version) > 0 || v.Compare(last.version) == 0 && p.ahead(name, tag, last.name)) {
			last = &lastTag{name: tag, version: v}
		}
	}
	return last, nil
}

// ahead reports which of two tags of one version counts: that of our form, or else any, always the same.
func (p *planner) ahead(name, tag, other string) bool {
	ours := func(tag string) bool { return strings.HasPrefix(tag, released.TagPrefix(p.w, name)) }
	if ours(tag) != ours(other) {
		return ours(tag)
	}
	return tag < other
}

// tagged is the version that a tag names: in our form, or as other tools tag.
func (p *planner) tagged(name, tag string) (version.Version, bool) {
	prefixes := []string{"v", ""}
	if p.w.Config.Versioning != settings.Lockstep {
		called := p.calledIn(name, tag)
		if called == "" {
			return version.Version{}, false
		}
		prefixes = []string{called + "/v", called + "/", called + "-v", called + "@v", called + "@"}
	}
	for _, prefix := range prefixes {
		if text, ok := strings.CutPrefix(tag, prefix); ok {
			v, err := version.Parse(text)
			return v, err == nil
		}
	}
	return version.Version{}, false
}

// ReadTags gives what reads the version of a package, by its name, from a tag: in our form, or as other tools tag.
func ReadTags(w *workspace.Workspace) func(name, tag string) (version.Version, bool) {
	return (&planner{w: w, folders: foldersOf(w)}).tagged
}

// calledIn is what a package is called at the beginning of a tag: its name, or that of its folder; "" where the tag begins with neither.
func (p *planner) calledIn(name, tag string) string {
	if strings.HasPrefix(tag, name) {
		return name
	}
	if folder := p.folders[name]; folder != "" && strings.HasPrefix(tag, folder) {
		return folder
	}
	return ""
}

// foldersOf are the names of the folders that packages are called by, too: no other package has that name, or such a folder.
func foldersOf(w *workspace.Workspace) map[string]string {
	folders, taken := map[string]string{}, map[string]int{}
	for _, pkg := range w.Packages {
		folders[pkg.Name] = path.Base(pkg.Dir)
		taken[pkg.Name]++
		taken[path.Base(pkg.Dir)]++
	}
	maps.DeleteFunc(folders, func(name, folder string) bool { return folder == "." || folder == name || taken[folder] > 1 })
	return folders
}

// of returns the tag of a version, wherever it is; "" where there is none.
func (p *planner) of(ctx context.Context, name string, v version.Version) (found string, err error) {
	all, err := p.history.All(ctx)
	for tag := range all {
		if of, ok := p.tagged(name, tag); ok && of.Compare(v) == 0 && (found == "" || p.ahead(name, tag, found)) {
			found = tag
		}
	}
	return found, err
}

// elsewhere returns a tag of a version that HEAD does not contain; "" where there is none.
func (p *planner) elsewhere(ctx context.Context, name string, v version.Version) (string, error) {
	found, err := p.of(ctx, name, v)
	if err != nil || found == "" {
		return "", err
	}
	merged, err := p.history.Merged(ctx)
	if _, ok := merged[found]; ok {
		return "", err
	}
	return found, err
}

// leftBehind returns the last tag, where the manifests were left behind by it; nil elsewhere. The history is asked only where a tag is
// above them.
func (p *planner) leftBehind(ctx context.Context, name string, at version.Version) (*lastTag, error) {
	all, err := p.history.All(ctx)
	if err != nil {
		return nil, err
	}
	for tag := range all {
		if v, ok := p.tagged(name, tag); ok && v.Compare(at) > 0 {
			last, err := p.lastTag(ctx, name, at)
			if last != nil && last.version.Compare(at) <= 0 {
				last = nil
			}
			return last, err
		}
	}
	return nil, nil
}

// next is the version that comes after one, or after the last tag, where that is above it. It is none that is out already.
func (p *planner) next(ctx context.Context, name string, at version.Version, size version.Size) (version.Version, error) {
	if p.history.History == nil {
		return at.Next(size), nil
	}
	last, err := p.leftBehind(ctx, name, at)
	if err != nil {
		return at, err
	}
	goal := at.Next(size)
	if last != nil {
		goal = last.version.Next(size)
		p.tellForm(name, last, goal)
	}
	return goal, p.refuseTaken(ctx, name, goal)
}

// sinceLastTag reads the commits since the last release. name is that of a package, or "" for all of them, whose pkg is nil.
func (p *planner) sinceLastTag(ctx context.Context, at version.Version, name string, pkg *workspace.Package) (found sinceTag, err error) {
	if found.last, err = p.lastTag(ctx, name, at); err != nil {
		return found, err
	}
	since := ""
	if found.last != nil {
		since = found.last.name
	}
	all, err := p.history.Since(ctx, since)
	if err != nil {
		return found, err
	}
	for _, e := range all {
		if e.Silent {
			continue
		}
		found.all++
		if len(e.Packages) == 0 || pkg != nil && !slices.Contains(e.Packages, pkg.Name) {
			continue
		}
		found.touching++
		switch {
		case e.Off:
			found.off++
		case e.Said != nil:
			found.deciding = append(found.deciding, e.Said)
			found.size = max(found.size, e.Said.Size(at))
		case e.Loose:
			found.loose++
		default:
			found.quiet++
		}
	}
	return found, nil
}

// since names the tag for a sentence.
func (s sinceTag) since() string {
	if s.last == nil {
		return "at all"
	}
	return "since " + s.last.name
}

// account says how many commits there were, which of them count, and why the others do not.
func (s sinceTag) account(what string) string {
	are := func(n int, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %s", n, many)
	}
	text := operr.Count(s.all, "commit") + " " + s.since()
	if s.all == 0 {
		return text
	}
	text += ", " + are(s.touching, "touches ", "touch ") + what
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{len(s.deciding), "counts", "count"},
		{s.off, "is taken back, or takes back what was not released", "are taken back, or take back what was not released"},
		{s.loose, "says in no conventional form what it is", "say in no conventional form what they are"},
		{s.quiet, "is of a kind that asks for no release, such as docs or chore", "are of a kind that asks for no release, such as docs or chore"},
	} {
		if part.n > 0 {
			parts = append(parts, are(part.n, part.one, part.many))
		}
	}
	if parts == nil {
		return text
	}
	return text + ": " + strings.Join(parts, ", ")
}

// autoGoal is the release that the commits ask for. A version that is in the manifests and was never released stays, if it
// is high enough for what was committed. tell says that a version which stays is worth a note.
func (p *planner) autoGoal(ctx context.Context, at version.Version, name string, found sinceTag) (version.Version, []Reason, error) {
	tag, err := p.elsewhere(ctx, name, at)
	if err == nil && tag != "" {
		err = operr.New("say the size yourself: -to=patch, -to=minor or -to=major",
			"%s is released, and its tag %s is on a branch that this one does not contain, such as one that was merged by squash: which commits came since cannot be told", at, tag)
	}
	if err != nil {
		return at, nil, err
	}
	unread, err := p.unread(ctx, name, at)
	if err != nil {
		return at, nil, err
	}
	goal, reasons := p.autoSize(at, name, found, unread)
	if goal.Compare(at) != 0 {
		err = p.refuseTaken(ctx, name, goal)
	}
	return goal, reasons, err
}

// refuseTaken refuses a version that is out already.
func (p *planner) refuseTaken(ctx context.Context, name string, goal version.Version) error {
	tag, err := p.of(ctx, name, goal)
	if err != nil || tag == "" {
		return err
	}
	free := goal.Next(version.Patch)
	for taken := tag; taken != ""; {
		if taken, err = p.of(ctx, name, free); err != nil {
			return err
		}
		if taken != "" {
			free = free.Next(version.Patch)
		}
	}
	say := "say a version that is not out yet, such as -to=" + free.String()
	switch tag, err := p.elsewhere(ctx, name, goal); {
	case err != nil:
		return err
	case tag != "":
		return operr.New("merge the branch that has it, or "+say,
			"the next version would be %s, and it is out already: the tag %s is on a branch that this one does not contain", goal, tag)
	}
	return operr.New(say, "the next version would be %s, and it is out already: the tag %s is in the history of this branch", goal, tag)
}

// unread returns a tag that ends in a version, and is in no form that is read, such as release-1.2.0; "" where there is none.
func (p *planner) unread(ctx context.Context, name string, v version.Version) (found string, err error) {
	all, err := p.history.All(ctx)
	for tag := range all {
		before, ends := strings.CutSuffix(tag, v.String())
		if _, read := p.tagged(name, tag); ends && !read && (before == "" || !strings.ContainsRune(".0123456789", rune(before[len(before)-1]))) &&
			(p.w.Config.Versioning == settings.Lockstep || strings.Contains(before, name) || p.calledIn(name, tag) != "") && (found == "" || tag < found) {
			found = tag
		}
	}
	return found, err
}

func (p *planner) autoSize(at version.Version, name string, found sinceTag, unread string) (version.Version, []Reason) {
	alone := name == ""
	if found.size == version.None {
		if p.idle = alone; alone {
			p.note("nothing to release: %s", found.account("a package"))
		} else if found.touching > 0 {
			p.accounts = append(p.accounts, name+": "+found.account("it"))
		}
		return at, nil
	}
	goal := at.Release()
	if found.last != nil {
		goal = found.last.version.Next(found.size)
		p.tellForm(name, found.last, goal)
	}
	if goal.Compare(at) <= 0 {
		none := "there is no tag for it"
		if unread != "" {
			none = fmt.Sprintf("%s would be its tag, and %s is not read as one", p.tagName(name, at.String()), unread)
		}
		p.note("%s is not released yet (%s), and covers %s", at, none, operr.Count(found.touching, "commit"))
		return at, nil
	}
	if found.touching > len(found.deciding) || found.all > found.touching {
		if alone {
			p.note("%s", found.account("a package"))
		} else {
			p.accounts = append(p.accounts, name+": "+found.account("it"))
		}
	}
	text := fmt.Sprintf("a %s version, by %s %s", found.size, operr.Count(len(found.deciding), "commit"), found.since())
	return goal, []Reason{{Kind: ByCommit, Text: text, deciding: found.deciding}}
}

// of is the reason as it is one for a package: with the commits that touched it.
func (r Reason) of(name string) Reason {
	for _, c := range r.deciding {
		if slices.Contains(c.Packages, name) {
			r.Commits = append(r.Commits, Commit{Hash: c.Hash, Subject: c.Subject})
		}
	}
	r.deciding = nil
	return r
}

// tellForm notes where the manifests were left behind by a tag, and where tags were of another form.
func (p *planner) tellForm(name string, last *lastTag, goal version.Version) {
	for _, pkg := range p.w.Packages {
		if (name == "" || pkg.Name == name) && p.now[pkg.Name].Compare(last.version) < 0 {
			p.note("%s says %s, and %s is tagged: the release is counted from the tag", pkg.Version.Pos, p.now[pkg.Name], last.name)
			break
		}
	}
	if ours := p.tagName(name, goal.String()); !strings.HasPrefix(last.name, released.TagPrefix(p.w, name)) {
		p.note("the last tag is %s, and the new one will be %s: those of another form are read, and not made", last.name, ours)
	}
}

// mostAccounts is how many packages are told one by one what was counted for them.
const mostAccounts = 5

// tellAccounts notes what was counted for packages that have versions of their own.
func (p *planner) tellAccounts() {
	for i, text := range p.accounts {
		if i == mostAccounts {
			p.note("… and so for %s", operr.Count(len(p.accounts)-i, "more package"))
			return
		}
		p.note("%s", text)
	}
}
