package annotation

import (
	"os"
	"path/filepath"
	"strings"
)

// Below finds files of a checkout. A tool names them from the folder that it runs in: the checkout, a package or an application. A file of a package
// or an application is found only if no other one has a file of that path.
func Below(checkout string) Lookup {
	is := func(file string) bool {
		info, err := os.Stat(filepath.Join(checkout, file))
		return err == nil && info.Mode().IsRegular()
	}
	return func(path string) (string, bool) {
		file := filepath.FromSlash(path)
		if filepath.IsAbs(file) {
			within, err := filepath.Rel(checkout, file)
			if err != nil {
				return "", false
			}
			file = within
		}
		file = filepath.Clean(file)
		if !filepath.IsLocal(file) {
			return "", false
		}
		if is(file) {
			return filepath.ToSlash(file), true
		}
		if strings.ContainsAny(file, `*?[\`) {
			return "", false
		}
		var found []string
		for _, above := range []string{"*", "*/*"} {
			some, _ := filepath.Glob(filepath.Join(checkout, above, file)) // the pattern is valid, unless the path of the checkout makes it invalid
			found = append(found, some...)
		}
		if len(found) != 1 {
			return "", false
		}
		file, err := filepath.Rel(checkout, found[0])
		return filepath.ToSlash(file), err == nil && is(file)
	}
}
