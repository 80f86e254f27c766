package settings

import (
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gomodule"
)

// owned are files that other tools write, and whose versions are of what they name. All that ends with .lock is one too.
var owned = []string{
	gomodule.File, "go.sum", "go.work", "go.work.sum", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lockb", "conda-lock.yml",
	"packages.lock.json",
}

// IsOwnedByATool reports whether a file, a path with slashes, is what another tool writes: a lock, or the go command's.
func IsOwnedByATool(file string) bool {
	name := strings.ToLower(path.Base(file))
	return strings.HasSuffix(name, ".lock") || slices.Contains(owned, name)
}
