package sources_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/sources"
)

// asked records the git commands that are run, and their folders.
type asked struct {
	*command.System
	mu    sync.Mutex
	calls []string
}

func (a *asked) Run(ctx context.Context, c command.Cmd) error {
	args := c.Args
	for len(args) > 1 && args[0] == "-c" {
		args = args[2:]
	}
	a.mu.Lock()
	a.calls = append(a.calls, c.Dir+": "+strings.Join(args, " "))
	a.mu.Unlock()
	return a.System.Run(ctx, c)
}

// Each git command starts a process, and a few of them take as long as building a small package.
func TestGitQueriesAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		from func(r *repository) *sources.Sources
	}{
		{"a build of the work tree", func(r *repository) *sources.Sources { return r.sources().WorkTree() }},
		{
			name: "the next one",
			from: func(r *repository) *sources.Sources {
				s := r.sources().WorkTree()
				_, done, err := take(t, s, "one")
				require.NoError(t, err)
				require.NoError(t, done(nil, nil))
				return s
			},
		},
		{"a build of a commit", func(r *repository) *sources.Sources { return r.committed() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, "")
			git := &asked{System: r.run.(*command.System)}
			r.run = git
			s := c.from(r)
			git.calls = nil
			_, done, err := take(t, s, "one")
			require.NoError(t, err)
			require.NoError(t, done(nil, nil))
			count := map[string]int{}
			for _, call := range git.calls {
				count[call]++
			}
			for call, n := range count {
				if !strings.Contains(call, ": ls-files ") { // ls-files reads the index, before and after it is written
					require.Equal(t, 1, n, call)
				}
			}
			require.NotContains(t, strings.Join(git.calls, "\n"), "remote.origin.url", "the URL of the remote is needed only for submodules")
			require.LessOrEqual(t, len(git.calls), 20)
		})
	}
}
