package available

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pixilock"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// checkLock wants the environment's platform, and every pin that holds on it, in a lock file; nil text is none.
func (e *environment) checkLock(file string, text []byte) error {
	if text == nil {
		return nil
	}
	lock, err := pixilock.Read(file, text)
	if err != nil {
		return err
	}
	packages := lock.Environments[manifest.DefaultEnvironment].Packages[e.subdir]
	if len(packages) == 0 {
		return operr.New("run `mage lock`, and commit it", "%s has no environment for %s", file, e.subdir)
	}
	for _, dep := range e.asks {
		name := manifest.CondaName(dep.Name)
		pinned, exact := e.exact(dep)
		if !exact {
			continue
		}
		has := slices.ContainsFunc(packages, func(key string) bool {
			where, conda := strings.CutPrefix(key, "conda ")
			f, ok := lockedFile(where)
			return conda && ok && f.Name == name && version.Same(f.Version, pinned)
		})
		if !has {
			return operr.New("run `mage lock`, and commit it", "%s does not have %s %s for %s, which %s pins", file, name, pinned, e.subdir, dep.Pos)
		}
	}
	return nil
}

// lockedFile takes the file name at the end of what a lock file has of a conda package, a URL or a path; false where that
// names no archive, such as the folder of a package that is built from source.
func lockedFile(where string) (condapkg.FileName, bool) {
	u, err := url.Parse(where)
	if err != nil {
		return condapkg.FileName{}, false
	}
	file := path.Base(u.Path)
	if stem, old := strings.CutSuffix(file, ".tar.bz2"); old { // the format before .conda, with names of the same form
		file = stem + condapkg.Ext
	}
	f, err := condapkg.ParseFileName(file)
	return f, err == nil
}
