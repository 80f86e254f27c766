package settings

import (
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gomodule"
)

// owned lists files that are written by other tools and contain versions of other packages. All files that end in .lock count as well.
var owned = []string{
	gomodule.File, "go.sum", "go.work", "go.work.sum", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lockb", "conda-lock.yml",
	"packages.lock.json",
}

// IsOwnedByATool reports whether a file (a path with slashes) is written by another tool: a lock file, or a file of the go command.
func IsOwnedByATool(file string) bool {
	name := strings.ToLower(path.Base(file))
	return strings.HasSuffix(name, ".lock") || slices.Contains(owned, name)
}
