package building

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// listFixedVariables lists, of the environment of a build script, what would otherwise be another thing on another machine or at
// another time. rattler-build keeps the person's variables out, and gives a home, a user and a locale of its own; its
// SOURCE_DATE_EPOCH is the present time. What [package.build.config] env says is set later, and wins.
func listFixedVariables(date time.Time) map[string]string {
	return map[string]string{
		"SOURCE_DATE_EPOCH": fmt.Sprint(date.Unix()),
		"TZ":                "UTC",
		"PYTHONHASHSEED":    "0", // sets are gone through in the same order
	}
}

// listFolderNames lists the folders of this machine that a build may write into a file, each with the name that stands there in its
// place. Only folders whose paths cannot mean anything else are among them: those below the cache, and the one that is made for
// this build alone. A workspace in /app is not renamed, since "/app" in a module may be anything.
func (b *Builder) listFolderNames(work, source, python string, p *workspace.Package) [][2]string {
	root := filepath.Clean(source)
	if sub := filepath.FromSlash(p.SourceDir); sub != "." {
		root = strings.TrimSuffix(root, string(filepath.Separator)+sub)
	}
	names := [][2]string{{work, "/build/work"}}
	for _, n := range [][2]string{{root, "/build/source"}, {filepath.Dir(filepath.Dir(python)), "/build/python"}} {
		if strings.HasPrefix(n[0], filepath.Clean(b.cache)+string(filepath.Separator)) {
			names = append(names, n)
		}
	}
	for _, n := range names { // a process that asks where it is gets the path without links
		if real, err := filepath.EvalSymlinks(n[0]); err == nil && real != n[0] {
			names = append(names, [2]string{real, n[1]})
		}
	}
	return names
}
