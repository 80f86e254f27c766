package settings

import (
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// readBranches reads a branch name, a pattern, or a list of these.
func readBranches(s *manifest.File, n *tomledit.Node, c *Config) {
	elements := []*tomledit.Node{n}
	if n.Is(tomledit.Array) {
		elements = n.Elements()
	}
	if len(elements) == 0 {
		s.Fail(n, "give the key a value, or remove the key", "%s is empty", n.Key)
	}
	s.NoOption(elements...)
	for _, e := range elements {
		text := s.Str(e)
		switch _, err := path.Match(text, ""); {
		case !e.Is(tomledit.String):
			// already reported by Str
		case text == "":
			s.Fail(e, "give the key a value, or remove the key", "%s is empty", n.Key)
		case err != nil:
			s.Fail(e, `correct the pattern: "1.*" matches every branch that begins with "1."`, "%s cannot be %q: %v", n.Key, text, err)
		default:
			c.Branches = append(c.Branches, text)
		}
	}
	if i := slices.IndexFunc(c.Branches, func(b string) bool { return !isPattern(b) }); i >= 0 {
		c.Branch = c.Branches[i]
	}
}

func isPattern(branch string) bool { return strings.ContainsAny(branch, `*?[\`) }

// ReleaseBranch returns the branch from which to release. `current` is the checked-out branch, or "". If releases may be made from
// that branch, it returns that branch and true. Otherwise it returns false and the branch to switch to: the first one configured by
// name, or the remote's default branch, or "" if neither is allowed. An empty remoteDefault means "main".
func (c Config) ReleaseBranch(current, remoteDefault string) (branch string, ok bool) {
	if remoteDefault == "" {
		remoteDefault = "main"
	}
	switch {
	case current != "" && c.releases(current, remoteDefault):
		return current, true
	case c.Branch != "":
		return c.Branch, false
	case c.releases(remoteDefault, remoteDefault):
		return remoteDefault, false
	}
	return "", false
}

// ReleaseBranches formats all release branches for output: "main or 1.*".
func (c Config) ReleaseBranches(remoteDefault string) string {
	if len(c.Branches) == 0 {
		branch, _ := c.ReleaseBranch("", remoteDefault)
		return branch
	}
	last := len(c.Branches) - 1
	if last == 0 {
		return c.Branches[0]
	}
	return strings.Join(c.Branches[:last], ", ") + " or " + c.Branches[last]
}

func (c Config) releases(branch, remoteDefault string) bool {
	if len(c.Branches) == 0 {
		return branch == remoteDefault
	}
	return slices.ContainsFunc(c.Branches, func(pattern string) bool {
		matches, err := path.Match(pattern, branch)
		return err == nil && matches
	})
}
