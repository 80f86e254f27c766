package bump

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// findVersion finds out where a package is whose version a tool makes from tags: where its last tag is. A copy in a manifest may be
// ahead of that, as long as its tag is not made yet, and behind it: then it was not kept up. A pre-release above the copy does not
// count, since it was not made by a bump, which would have edited the copy.
func (p *planner) findVersion(ctx context.Context, pkg *workspace.Package) (text string, err error) {
	from, text := pkg.FromTags(), pkg.Version.Text
	if from == nil || text != "" && p.history.History == nil {
		return text, nil
	}
	if p.history.History == nil {
		return "", operr.New("run it in the git repository, or add the line `version = \"0.1.0\"` to [package] of "+pkg.Manifest,
			"%s: the version of %s is that of its last tag (%s), and there is no git repository", from.Pos, pkg.Name, from.Detail)
	}
	copied, err := version.Parse(text)
	if text != "" && err != nil {
		//lint:ignore nilerr the caller says so
		return text, nil
	}
	last, err := p.newest(ctx, pkg.Name, func(v version.Version) bool { return text == "" || !v.Prerelease() })
	switch {
	case err != nil:
		return "", err
	case text != "" && (last == nil || last.version.Compare(copied) <= 0):
		return text, nil
	case last == nil:
		return "", operr.New("tag the version that it is at, such as `git tag "+operr.Word(p.tagName(pkg.Name, "0.1.0"))+"`",
			"%s: the version of %s is that of its last tag (%s), and there is none", from.Pos, pkg.Name, from.Detail)
	}
	if text != "" {
		p.copied[pkg.Name] = text
	}
	return last.version.String(), nil
}
