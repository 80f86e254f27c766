package toolchain

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// BetweenTags returns a line for each artifact whose wheel is of another version than its package, since it was built where no
// tag says that version.
func BetweenTags(packages []*workspace.Package, built []Artifact) (lines []string) {
	for i, a := range built {
		v := packages[i].FromTags()
		if v == nil || a.Wheel == "" || version.Equivalent(a.Wheel, a.Index.Version) {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s is called %s, and its wheel says %s, which %s makes between tags; a release builds it as if its tag were there, and this file is never published",
			a.Package, a.Index.Version, a.Wheel, v.Detail))
	}
	return lines
}

// otherWheel says of a wheel of another version what has most likely made it, and what to change.
func otherWheel(p *workspace.Package, e *WheelError) error {
	v := p.FromTags()
	if v == nil {
		return operr.New("let "+wheelSource(p)+" say "+e.Version+" too, and build it again; nothing was uploaded", "%w", e)
	}
	return operr.New("change what fits, and build it again; nothing was uploaded", "%w: %s has made another version than the tag's (%s)", e, v.Detail, v.Pos).
		WithDetail(strings.Join(listCauses(p, v, e), "\n"))
}

// wheelSource is what gives the wheel its version.
func wheelSource(p *workspace.Package) string {
	if p.Project == nil {
		return "what gives the wheel its version"
	}
	switch v := p.Project.Version; {
	case v.Source == manifest.VersionMissing:
		return "the setup.cfg or setup.py beside " + p.Pyproject
	case v.Source == manifest.VersionDynamic && v.Detail != "":
		return fmt.Sprintf("what %s takes the wheel's version from (%s)", v.Detail, v.Pos)
	}
	return p.Pyproject
}

// What the tools append to a version that is not just a tag's.
var (
	fromDirty    = regexp.MustCompile(`(?i)\+(.*[.-])?(d20\d{6}|dirty|modified)\b`)
	fromDistance = regexp.MustCompile(`(?i)\.dev\d+|\.post\d+|\+`)
)

// listCauses lists the likely reasons, the likeliest first, each with what to change.
func listCauses(p *workspace.Package, v *manifest.Version, e *WheelError) (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, "· "+fmt.Sprintf(format, args...)) }
	for _, kv := range p.Build.Python.Env {
		if SetsVersion(kv.Key) {
			add("[package.build.config] env of %s sets %s = %q: write %s there, or take it out", p.Manifest, kv.Key, kv.Value, e.Version)
		}
	}
	if fromDirty.MatchString(e.Says) {
		add("a file that git knows was changed while building, such as a version_file that is committed: let git ignore it and take it out by `git rm --cached`")
	}
	if strings.HasPrefix(e.Says, "0.0") || strings.HasPrefix(e.Says, "0.1.dev") || strings.Contains(e.Says, "unknown") {
		add("it found no tag at all: let root point to the folder of the git repository, and look whether a fallback_version hides that")
	}
	if fromDistance.MatchString(e.Says) || len(lines) == 0 {
		add("it does not read the tag of this version: let tag_regex, git_describe_command or tag-pattern of %s match the tags that a release makes (`mage version:plan` shows them), with the package's own prefix where there is one", v.Pos.File)
		add("it counts another tag as the nearer one: let git_describe_command match the tags of this package alone (`--match 'PREFIX*'`)")
	}
	return lines
}
