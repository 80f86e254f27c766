package image

import (
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/dockerfile"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// given are the ids of the secrets that a build may have.
var given = []string{"PIXI_CONFIG", "RATTLER_AUTH_FILE"}

// nextForMounts is what to do about a mount that no build is given.
const nextForMounts = "let the step do with PIXI_CONFIG and RATTLER_AUTH_FILE, which hold the settings and logins of package channels, or take what it needs into the repository, a submodule or a base image"

// notGiven says which mounts of a Dockerfile a build is not given: agents, and secrets of a person's own. A step that requires one
// cannot end well, which is an error; others go without.
func notGiven(dir string, file *dockerfile.File) (warnings []string, err error) {
	for _, m := range file.Mounts() {
		var what string
		switch {
		case m.Type == "ssh":
			what = "the SSH agent " + m.ID
		case m.Type == "secret" && !slices.Contains(given, m.ID):
			what = "the secret " + m.ID
		default:
			continue
		}
		said := fmt.Sprintf("line %d of %s/Dockerfile mounts %s, and a build is given none", m.Line, dir, what)
		if m.Required {
			return nil, operr.New(nextForMounts, "%s: the step requires it", said)
		}
		warnings = append(warnings, said+": "+nextForMounts)
	}
	return warnings, nil
}
