package dockerfile

import (
	"path"
	"strings"
)

// IsName reports whether a file is named like a Dockerfile.
func IsName(file string) bool {
	name := path.Base(file)
	for _, known := range []string{"Dockerfile", "Containerfile"} {
		ours := name == known || name == strings.ToLower(known) || strings.HasPrefix(name, known+".") || strings.HasSuffix(name, "."+known)
		if ours && !strings.HasSuffix(name, "ignore") {
			return true
		}
	}
	return false
}
