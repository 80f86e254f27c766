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

// checkLock reports an error unless the lock file contains the environment's platform and every pin for that platform. If text is nil, there is
// no lock file, and checkLock returns nil.
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
		return operr.New("run `mage lock`, and commit the lock file", "%s has no packages for %s", file, e.subdir)
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
			return operr.New("run `mage lock`, and commit the lock file", "%s lacks %s %s for %s, although %s pins this version", file, name, pinned, e.subdir, dep.Pos)
		}
	}
	return nil
}

// lockedFile parses the archive name at the end of a conda package's URL or path in a lock file. It returns false if there is no archive name,
// for example because the path is the folder of a package that is built from source.
func lockedFile(where string) (condapkg.FileName, bool) {
	u, err := url.Parse(where)
	if err != nil {
		return condapkg.FileName{}, false
	}
	file := path.Base(u.Path)
	if stem, old := strings.CutSuffix(file, ".tar.bz2"); old { // the older format; its file names have the same form
		file = stem + condapkg.Ext
	}
	f, err := condapkg.ParseFileName(file)
	return f, err == nil
}
