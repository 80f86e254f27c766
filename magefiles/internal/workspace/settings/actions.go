package settings

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// action is the name of one: owner/name, perhaps with a folder of its repository.
var action = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*$`)

// Nothing is what stands for an action that does nothing in a rehearsal.
const Nothing = "nothing"

// readActions reads [tool.release.actions]: what stands in a rehearsal for actions that workflow files use.
func readActions(s *manifest.File, n *tomledit.Node, c *Config) {
	if !s.Want(n, tomledit.Table) {
		return
	}
	for _, e := range n.Children {
		of := s.Str(e)
		switch {
		case !e.Is(tomledit.String):
			continue
		case !action.MatchString(e.Key):
			s.Fail(e, `name the action as "uses:" does, without its version: "owner/name" = "nothing"`, "%q is not the name of an action", e.Key)
			continue
		case of != Nothing && (!filepath.IsLocal(filepath.FromSlash(of)) || path.Clean(of) == "." || !strings.Contains(of, "/")):
			s.Fail(e, `write "nothing", or the folder of a composite action by its path from the repository's top: "./.github/actions/NAME"`, "%s cannot be %q", e.Key, of)
			continue
		}
		if c.Actions == nil {
			c.Actions = map[string]string{}
		}
		c.Actions[e.Key] = of
	}
}
