package bump

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// findVersion returns the version of a package. If a tool derives it from tags, that is the version of the last tag. A copy in a manifest takes
// precedence if it is higher, because its tag may not exist yet. A lower copy is out of date. Pre-release tags are ignored if there is a copy,
// because a bump to a pre-release would have updated the copy.
func (p *planner) findVersion(ctx context.Context, pkg *workspace.Package) (text string, err error) {
	from, text := pkg.FromTags(), pkg.Version.Text
	if from == nil || text != "" && p.history.History == nil {
		return text, nil
	}
	if p.history.History == nil {
		return "", operr.New("run this command in the git repository, or add the line `version = \"0.1.0\"` to [package] of "+pkg.Manifest,
			"%s: the version of %s comes from its last tag (%s), but there is no git repository", from.Pos, pkg.Name, from.Detail)
	}
	copied, err := version.Parse(text)
	if text != "" && err != nil {
		//lint:ignore nilerr the caller reports an invalid version
		return text, nil
	}
	last, err := p.newest(ctx, pkg.Name, func(v version.Version) bool { return text == "" || !v.Prerelease() })
	switch {
	case err != nil:
		return "", err
	case text != "" && (last == nil || last.version.Compare(copied) <= 0):
		return text, nil
	case last == nil:
		return "", operr.New("tag the current version, for example: `git tag "+operr.Word(p.tagName(pkg.Name, "0.1.0"))+"`",
			"%s: the version of %s comes from its last tag (%s), but the package has no tag", from.Pos, pkg.Name, from.Detail)
	}
	if text != "" {
		p.copied[pkg.Name] = text
	}
	return last.version.String(), nil
}
