package settings

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// action matches the name of an action: owner/name, optionally followed by a folder.
var action = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*$`)

// Nothing is the stand-in that makes an action a no-op in a rehearsal.
const Nothing = "nothing"

// readActions reads [tool.release.actions], the stand-ins that a rehearsal uses for actions in workflow files.
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
