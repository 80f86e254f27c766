package bumping_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// counter counts git processes.
type counter struct {
	command.Runner
	mu    sync.Mutex
	asked []string
}

func (c *counter) Run(ctx context.Context, cmd command.Cmd) error {
	args := cmd.Args
	for len(args) > 1 && args[0] == "-c" {
		args = args[2:]
	}
	c.mu.Lock()
	c.asked = append(c.asked, strings.Join(args, " "))
	c.mu.Unlock()
	return c.Runner.Run(ctx, cmd)
}

// Starting a git process takes longer than the rest of a bump. A plan needs only one, which lists the released versions.
func TestNumberOfGitProcesses(t *testing.T) {
	for want, parts := range map[int]bump.Parts{
		6:  {},
		9:  {Commit: true},
		10: {Commit: true, Tag: true},
	} {
		dir, run := gitrepotest.New(t)
		gitrepotest.Write(t, dir, "pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n")
		for i := range 3 {
			gitrepotest.Write(t, dir, fmt.Sprintf("p%d/pixi.toml", i), fmt.Sprintf("[package]\nname = \"p%d\"\nversion = \"1.2.3\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\", version = \"*\" }\n", i))
		}
		// The files are older than the index. Otherwise git would read the files that were written in the same second as the index.
		old := time.Now().Add(-time.Hour)
		require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			return os.Chtimes(path, old, old)
		}))
		gitrepotest.Git(t, run, dir, "add", "--all")
		gitrepotest.Git(t, run, dir, "commit", "--quiet", "--message", "fix: all")
		c := &counter{Runner: run}
		b, err := bumping.Open(t.Context(), bumping.Config{Runner: c, Dir: dir, View: &reader{}, Confirm: func(context.Context, string) error { return nil }})
		require.NoError(t, err)
		_, err = b.Bump(t.Context(), bump.Request{To: "minor"}, "", parts)
		require.NoError(t, err)
		require.Len(t, c.asked, want, strings.Join(c.asked, "\n"))
	}
}
