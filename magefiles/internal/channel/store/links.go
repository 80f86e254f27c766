package store

import (
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// stays refuses a folder of channels in which what we write, or empty, is a link that leads out of it. The folder itself may be one.
func stays(top string, names ...string) error {
	for _, name := range names {
		if at, inside := beneath.Leads(top, filepath.Join(top, name)); !inside {
			return operr.New("remove the link, or name another folder", "%q in %s leads out of that, to %q, and channels are written there", name, top, at)
		}
	}
	return nil
}

// stays is asked before anything of a subdir is read or written.
func (d *subdir) stays() error {
	channel := filepath.Dir(d.dir)
	top, in := filepath.Dir(channel), filepath.Join(filepath.Base(channel), filepath.Base(d.dir))
	names := []string{in}
	for _, name := range []string{logFile, repodata.JSON, repodata.JSONZst, repodata.Shards, filepath.Clean(repodata.ShardDir)} {
		names = append(names, filepath.Join(in, name))
	}
	return stays(top, names...)
}
