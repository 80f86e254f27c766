package publishing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// quiet is a View that only records the calls of Say.
type quiet struct {
	View
	said []string
}

func (q *quiet) Say(format string, _ ...any) { q.said = append(q.said, format) }

// The date is the configured time. If there is none, it is the commit's time. Without a commit it is a fixed date, and a message says so.
func TestDate(t *testing.T) {
	repo, run := gitrepotest.New(t)
	gitrepotest.Git(t, gitrepotest.With(run, "GIT_COMMITTER_DATE=1767323046 +0200"), repo, "commit", "--allow-empty", "-qm", "x")
	for name, c := range map[string]struct {
		epoch time.Time
		dir   string
		want  int64
		says  int
	}{
		"set":           {epoch: time.Unix(1000, 0), dir: repo, want: 1000},
		"of the commit": {dir: repo, want: 1767323046},
		"outside":       {dir: t.TempDir(), want: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), says: 1},
	} {
		view := &quiet{}
		date, err := Config{
			Workspace: &workspace.Workspace{Root: c.dir},
			Runner:    run,
			View:      view,
			Epoch:     func() (time.Time, error) { return c.epoch, nil },
		}.date(t.Context())
		require.NoError(t, err, name)
		require.Equal(t, c.want, date.Unix(), name)
		require.Len(t, view.said, c.says, name)
	}
}
