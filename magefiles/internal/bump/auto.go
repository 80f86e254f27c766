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

// lastTag is a tag and its version.
type lastTag struct {
	name    string
	version version.Version
}

// sinceTag counts the commits since the last tag of one package, or of all packages.
type sinceTag struct {
	last     *lastTag // nil if there is no tag
	size     version.Size
	deciding []*Commit // commits that require a new version
	tally
}

// tally counts commits by their effect on the version.
type tally struct {
	all      int // all commits, except merges that require nothing
	touching int // commits that touch the package, or any package
	off      int // touching commits that were reverted, or that revert another commit
	loose    int // touching commits that are not conventional commits
	quiet    int // touching commits of a type that requires no release
}

// lastTag returns the tag of the last release, which is the highest version that is not above `at`. If the manifests are out of date, it returns a
// higher tag, which must have the same major version unless there is no lower tag. Pre-releases are ignored.
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

// newest returns the tag of the highest version for which `counts` returns true, or nil if there is none.
func (p *planner) newest(ctx context.Context, name string, counts func(version.Version) bool) (*lastTag, error) {
	tags, err := p.history.Merged(ctx)
	if err != nil {
		return nil, err
	}
	var last *lastTag
	for tag := range tags {
		v, ok := p.versionOfTag(name, tag)
		if ok && counts(v) && (last == nil || v.Compare(last.version) > 0 || v.Compare(last.version) == 0 && p.ahead(name, tag, last.name)) {
			last = &lastTag{name: tag, version: v}
		}
	}
	return last, nil
}

// `ahead` reports whether `tag` is preferred to `other`, a tag of the same version. Our own format is preferred, then the first name in string order.
func (p *planner) ahead(name, tag, other string) bool {
	ours := func(tag string) bool { return strings.HasPrefix(tag, released.TagPrefix(p.w, name)) }
	if ours(tag) != ours(other) {
		return ours(tag)
	}
	return tag < other
}

// versionOfTag parses the version in a tag. The tag may have our own format or that of another tool.
func (p *planner) versionOfTag(name, tag string) (version.Version, bool) {
	prefixes := []string{"v", ""}
	if p.w.Config.Versioning != settings.Lockstep {
		called := p.tagPrefix(name, tag)
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

// ReadTags returns a function that parses the version of the named package in a tag, like versionOfTag.
func ReadTags(w *workspace.Workspace) func(name, tag string) (version.Version, bool) {
	return (&planner{w: w, folders: foldersOf(w)}).versionOfTag
}

// tagPrefix returns the name that a tag begins with, which is the package's name or its folder's. It returns "" if the tag begins with neither.
func (p *planner) tagPrefix(name, tag string) string {
	if strings.HasPrefix(tag, name) {
		return name
	}
	if folder := p.folders[name]; folder != "" && strings.HasPrefix(tag, folder) {
		return folder
	}
	return ""
}

// foldersOf returns the folder name of each package, keyed by package name. It omits names that another package or folder also has, because tags
// cannot use them.
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

// `of` returns the tag of a version on any branch, or "" if there is none.
func (p *planner) of(ctx context.Context, name string, v version.Version) (found string, err error) {
	all, err := p.history.All(ctx)
	for tag := range all {
		if of, ok := p.versionOfTag(name, tag); ok && of.Compare(v) == 0 && (found == "" || p.ahead(name, tag, found)) {
			found = tag
		}
	}
	return found, err
}

// tagOffHead returns a tag of a version if HEAD does not contain the tag, and "" otherwise.
func (p *planner) tagOffHead(ctx context.Context, name string, v version.Version) (string, error) {
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

// tagAhead returns the last tag if it is higher than the version in the manifests, or nil. It reads the merged tags only if a higher tag exists.
func (p *planner) tagAhead(ctx context.Context, name string, at version.Version) (*lastTag, error) {
	all, err := p.history.All(ctx)
	if err != nil {
		return nil, err
	}
	for tag := range all {
		if v, ok := p.versionOfTag(name, tag); ok && v.Compare(at) > 0 {
			last, err := p.lastTag(ctx, name, at)
			if last != nil && last.version.Compare(at) <= 0 {
				last = nil
			}
			return last, err
		}
	}
	return nil, nil
}

// `next` returns the version after `at`, or after the last tag if that is higher. A version that was already released is an error.
func (p *planner) next(ctx context.Context, name string, at version.Version, size version.Size) (version.Version, error) {
	if p.history.History == nil {
		return at.Next(size), nil
	}
	last, err := p.tagAhead(ctx, name, at)
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

// sinceLastTag counts the commits since the last release. For all packages, name is "" and pkg is nil.
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

// `since` returns a phrase that names the tag.
func (s sinceTag) since() string {
	if s.last == nil {
		return "since the beginning"
	}
	return "since " + s.last.name
}

// account returns a phrase that lists how many commits there were, how many count, and why the others do not.
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
		{s.off, "is reverted, or reverts a commit that was not released", "are reverted, or revert commits that were not released"},
		{s.loose, "is not a conventional commit", "are not conventional commits"},
		{s.quiet, "has a type that needs no release, such as docs or chore", "have a type that needs no release, such as docs or chore"},
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

// autoGoal returns the version that the commits require. If the version in the manifests was never released and is high enough, it is kept.
func (p *planner) autoGoal(ctx context.Context, at version.Version, name string, found sinceTag) (version.Version, []Reason, error) {
	tag, err := p.tagOffHead(ctx, name, at)
	if err == nil && tag != "" {
		err = operr.New("pass the size: -to=patch, -to=minor or -to=major",
			"the commits since %s cannot be counted: its tag %s is on a branch that HEAD does not contain, such as a branch that was merged by squash", at, tag)
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

// refuseTaken returns an error if a version was already released.
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
	say := "pass a version that is not released yet, such as -to=" + free.String()
	switch tag, err := p.tagOffHead(ctx, name, goal); {
	case err != nil:
		return err
	case tag != "":
		return operr.New("merge the branch that has the tag, or "+say+"; if the tag was made in a work tree that is removed now, and never pushed, delete the tag with `git tag -d "+operr.Word(tag)+"`",
			"the next version would be %s, which is tagged already: the tag %s is on a branch that HEAD does not contain", goal, tag)
	}
	return operr.New(say, "the next version would be %s, which is tagged already: the tag %s is in the history of this branch", goal, tag)
}

// unread returns a tag that ends with version v but has a format that versionOfTag does not parse, such as release-1.2.0, or "".
func (p *planner) unread(ctx context.Context, name string, v version.Version) (found string, err error) {
	all, err := p.history.All(ctx)
	for tag := range all {
		before, ends := strings.CutSuffix(tag, v.String())
		if _, read := p.versionOfTag(name, tag); ends && !read && (before == "" || !strings.ContainsRune(".0123456789", rune(before[len(before)-1]))) &&
			(p.w.Config.Versioning == settings.Lockstep || strings.Contains(before, name) || p.tagPrefix(name, tag) != "") && (found == "" || tag < found) {
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
		none := "no tag names this version"
		if unread != "" {
			none = fmt.Sprintf("its tag would be %s; the tag %s has another form", p.tagName(name, at.String()), unread)
		}
		p.note("%s is not released yet (%s), and its release will include %s", at, none, operr.Count(found.touching, "commit"))
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

// `of` returns the reason for one package, with the commits that touch that package.
func (r Reason) of(name string) Reason {
	for _, c := range r.deciding {
		if slices.Contains(c.Packages, name) {
			r.Commits = append(r.Commits, Commit{Hash: c.Hash, Subject: c.Subject})
		}
	}
	r.deciding = nil
	return r
}

// tellForm adds notes if a manifest is older than the last tag, or if that tag has another format than the new one.
func (p *planner) tellForm(name string, last *lastTag, goal version.Version) {
	for _, pkg := range p.w.Packages {
		if (name == "" || pkg.Name == name) && p.now[pkg.Name].Compare(last.version) < 0 {
			p.note("%s has version %s, but the tag %s is newer: the next version is counted from the tag", pkg.Version.Pos, p.now[pkg.Name], last.name)
			break
		}
	}
	if ours := p.tagName(name, goal.String()); !strings.HasPrefix(last.name, released.TagPrefix(p.w, name)) {
		p.note("the last tag is %s, and the new tag will be %s: tags of other forms are read, but never made", last.name, ours)
	}
}

// mostAccounts is the maximum number of packages that get a note about counted commits.
const mostAccounts = 5

// tellAccounts adds notes about the counted commits of packages with separate versions.
func (p *planner) tellAccounts() {
	for i, text := range p.accounts {
		if i == mostAccounts {
			p.note("… and %s", operr.Count(len(p.accounts)-i, "more package"))
			return
		}
		p.note("%s", text)
	}
}
