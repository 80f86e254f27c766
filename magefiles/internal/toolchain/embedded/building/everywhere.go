package building

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// listFixedVariables returns build script variables that would otherwise differ between machines or over time. rattler-build does not pass the
// user's variables on, and sets its own home, user and locale, but its SOURCE_DATE_EPOCH is the current time. Variables in [package.build.config]
// env are set later and override these.
func listFixedVariables(date time.Time) map[string]string {
	return map[string]string{
		"SOURCE_DATE_EPOCH": fmt.Sprint(date.Unix()),
		"TZ":                "UTC",
		"PYTHONHASHSEED":    "0", // makes the iteration order of sets deterministic
	}
}

// listFolderNames returns local folders that a build may write into a file, each with its replacement. It includes only folders whose paths are
// unambiguous: those below the cache, and the build's own folder. A workspace in /app is not replaced, because "/app" in a module could mean
// anything.
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
	for _, n := range names { // getcwd returns the path with symlinks resolved
		if real, err := filepath.EvalSymlinks(n[0]); err == nil && real != n[0] {
			names = append(names, [2]string{real, n[1]})
		}
	}
	return names
}
