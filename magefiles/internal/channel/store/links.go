package store

import (
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// `stays` returns an error if any path that the store would write or empty is a symbolic link that leads out of the folder. The folder itself may
// be a link.
func stays(top string, names ...string) error {
	for _, name := range names {
		if at, inside := beneath.Leads(top, filepath.Join(top, name)); !inside {
			return operr.New("remove this link, or name another folder", "%q in %s is a link that leads out of the folder, to %q, so channels would be written outside", name, top, at)
		}
	}
	return nil
}

// `stays` must be called before anything in a subdir is read or written.
func (d *subdir) stays() error {
	channel := filepath.Dir(d.dir)
	top, in := filepath.Dir(channel), filepath.Join(filepath.Base(channel), filepath.Base(d.dir))
	names := []string{in}
	for _, name := range []string{logFile, repodata.JSON, repodata.JSONZst, repodata.Shards, filepath.Clean(repodata.ShardDir)} {
		names = append(names, filepath.Join(in, name))
	}
	return stays(top, names...)
}
