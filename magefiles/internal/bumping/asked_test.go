package bumping_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// counter notes what git is asked.
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

// Each question to git is a process, which takes longer than all that a bump does by itself. One is for the plan alone: which numbers are out already.
func TestHowOftenGitIsAsked(t *testing.T) {
	for want, parts := range map[int]bump.Parts{
		6:  {},
		10: {Commit: true},
		11: {Commit: true, Tag: true},
	} {
		dir, run := gitrepotest.New(t)
		gitrepotest.Write(t, dir, "pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n")
		for i := range 3 {
			gitrepotest.Write(t, dir, fmt.Sprintf("p%d/pixi.toml", i), fmt.Sprintf("[package]\nname = \"p%d\"\nversion = \"1.2.3\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\", version = \"*\" }\n", i))
		}
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
