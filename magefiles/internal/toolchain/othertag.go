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

// BetweenTags returns a line for each artifact whose wheel and package have different versions because it was built at a commit without a tag for
// that version.
func BetweenTags(packages []*workspace.Package, built []Artifact) (lines []string) {
	for i, a := range built {
		v := packages[i].FromTags()
		if v == nil || a.Wheel == "" || version.Equivalent(a.Wheel, a.Index.Version) {
			continue
		}
		lines = append(lines, fmt.Sprintf("package %s has version %s, but its wheel has version %s, which %s makes between two tags; a release builds the package as if its tag existed, and this file is never published",
			a.Package, a.Index.Version, a.Wheel, v.Detail))
	}
	return lines
}

// explainVersion adds the likely causes of a wheel's unexpected version to the error, and how to fix them.
func explainVersion(p *workspace.Package, e *WheelError) error {
	v := p.FromTags()
	if v == nil {
		return operr.New("change the version in "+wheelSource(p)+" to "+e.Version+", and build the package again; nothing was uploaded", "%w", e)
	}
	return operr.New("fix the likeliest of these causes, and build the package again; nothing was uploaded", "%w, because %s did not use the version of the tag (%s)", e, v.Detail, v.Pos).
		WithDetail(strings.Join(listCauses(p, v, e), "\n"))
}

// wheelSource returns the file or tool that determines the wheel's version.
func wheelSource(p *workspace.Package) string {
	if p.Project == nil {
		return "the source of the wheel's version"
	}
	switch v := p.Project.Version; {
	case v.Source == manifest.VersionMissing:
		return "the setup.cfg or setup.py beside " + p.Pyproject
	case v.Source == manifest.VersionDynamic && v.Detail != "":
		return fmt.Sprintf("the source that %s reads the wheel's version from (%s)", v.Detail, v.Pos)
	}
	return p.Pyproject
}

// These match the suffixes that tools append to a version if the commit is not exactly tagged.
var (
	fromDirty    = regexp.MustCompile(`(?i)\+(.*[.-])?(d20\d{6}|dirty|modified)\b`)
	fromDistance = regexp.MustCompile(`(?i)\.dev\d+|\.post\d+|\+`)
)

// listCauses lists the likely causes, most likely first, each with its fix.
func listCauses(p *workspace.Package, v *manifest.Version, e *WheelError) (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, "· "+fmt.Sprintf(format, args...)) }
	for _, kv := range p.Build.Python.Env {
		if SetsVersion(kv.Key) {
			add("[package.build.config] env of %s sets %s = %q: write %s instead, or remove this variable", p.Manifest, kv.Key, kv.Value, e.Version)
		}
	}
	if fromDirty.MatchString(e.Says) {
		add("the build changed a committed file, such as a version_file: add this file to .gitignore, and remove it from git with `git rm --cached FILE`")
	}
	if strings.HasPrefix(e.Says, "0.0") || strings.HasPrefix(e.Says, "0.1.dev") || strings.Contains(e.Says, "unknown") {
		add("the tool found no tag: set root to the folder of the git repository, and check whether a fallback_version hides the error")
	}
	if fromDistance.MatchString(e.Says) || len(lines) == 0 {
		add("the tool does not read the tag of this version: let tag_regex, git_describe_command or tag-pattern of %s match the tags that a release makes (`mage version:plan` shows these tags), with the package's own prefix if it has one", v.Pos.File)
		add("the tool uses the tag of another package: let git_describe_command match only the tags of this package (`--match 'PREFIX*'`)")
	}
	return lines
}
