package view_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Each step is one line. If the state of the world differs from the journal, the line shows both.
func TestStandings(t *testing.T) {
	for _, c := range []struct {
		s    workflow.Standing
		want string
	}{
		{workflow.Standing{Step: "a", Recorded: workflow.Done, Said: "yes\nand more", World: workflow.IsDone, Seen: "there"}, "✓ a                  yes\n"},
		{workflow.Standing{Step: "a", Recorded: workflow.Found, World: workflow.NotAsked}, "✓ a                  done\n"},
		{workflow.Standing{Step: "a", Recorded: workflow.Done, Said: "yes", World: workflow.IsNotDone}, "✗ a                  yes; not there now\n"},
		{workflow.Standing{Step: "a", Recorded: workflow.Done, Said: "yes", World: workflow.Trouble, Seen: "no answer"}, "✗ a                  yes; the state now is unknown: no answer\n"},
		{workflow.Standing{Step: "a", Recorded: workflow.Skipped, Said: "no key", World: workflow.NotNeeded}, "○ a                  skipped: no key\n"},
		{workflow.Standing{Step: "a", Recorded: workflow.Failed, Said: "no", World: workflow.IsNotDone}, "✗ a                  failed: no\n"},
		{workflow.Standing{Step: "a", Recorded: workflow.Failed, Said: "no", World: workflow.Trouble, Seen: "no"}, "✗ a                  failed: no\n"},
		{workflow.Standing{Step: "a", Recorded: workflow.Failed, Said: "no", World: workflow.IsDone, Seen: "there"}, "✓ a                  failed: no; done now: there\n"},
		{workflow.Standing{Step: "a", Recorded: workflow.Failed, Said: "a signal", Stopped: true}, "✗ a                  stopped here: a signal\n"},
		{workflow.Standing{Step: "a", Recorded: workflow.Started, World: workflow.NotAsked}, "✗ a                  started, but not finished\n"},
		{workflow.Standing{Step: "a", World: workflow.NotAsked}, "○ a                  to do\n"},
		{workflow.Standing{Step: "a", World: workflow.IsNotDone}, "○ a                  to do\n"},
		{workflow.Standing{Step: "a", World: workflow.IsDone, Seen: "there"}, "✓ a                  there\n"},
		{workflow.Standing{Step: "a", World: workflow.NotNeeded, Seen: "no key"}, "○ a                  skipped: no key\n"},
		{workflow.Standing{Step: "a", World: workflow.Trouble, Seen: "no answer"}, "✗ a                  the state now is unknown: no answer\n"},
	} {
		var out bytes.Buffer
		(&view.View{Out: &out, Err: &out}).Standings([]workflow.Standing{c.s}, false)
		require.Equal(t, c.want, out.String())
	}
}

// A step that a process is working on is shown as running, not as interrupted. Other steps are shown as usual.
func TestRunningStepIsShown(t *testing.T) {
	var out bytes.Buffer
	(&view.View{Out: &out, Err: &out}).Standings([]workflow.Standing{
		{Step: "a", Recorded: workflow.Done, Said: "yes", World: workflow.IsDone},
		{Step: "b", Recorded: workflow.Started, World: workflow.NotAsked},
		{Step: "c", World: workflow.NotAsked},
	}, true)
	require.Equal(t, "✓ a                  yes\n▸ b                  under way\n○ c                  to do\n", out.String())
}

// At a terminal, a table that is too wide is broken into lines that fit. Elsewhere it is unchanged.
func TestTablesFit(t *testing.T) {
	header := []string{"PACKAGE", "VERSION", "REQUIRES", "WHERE"}
	rows := [][]string{
		{"foopack-core", "0.1.0", "", "packages/core/pixi.toml"},
		{"foopack-extras", "0.1.0", "foopack-core ==0.1.0", "packages/extras/pixi.toml:21"},
		{"", "", "foopack-core ==0.1.0", "packages/extras/pyproject.toml:12"},
	}
	for width, want := range map[int]string{
		40: `PACKAGE  VERSION  REQUIRES  WHERE
foopack-core  0.1.0
  packages/core/pixi.toml
foopack-extras  0.1.0
  foopack-core ==0.1.0
  packages/extras/pixi.toml:21
  foopack-core ==0.1.0
  packages/extras/pyproject.toml:12
`,
		100: `PACKAGE         VERSION  REQUIRES              WHERE
foopack-core    0.1.0                          packages/core/pixi.toml
foopack-extras  0.1.0    foopack-core ==0.1.0  packages/extras/pixi.toml:21
                         foopack-core ==0.1.0  packages/extras/pyproject.toml:12
`,
	} {
		var out bytes.Buffer
		v := &view.View{Out: &out, Err: &out, Breaks: true, Width: func() int { return width }}
		v.Table(header, rows)
		require.Equal(t, want, out.String())
		if width == 100 {
			continue
		}
		out.Reset()
		v.Breaks = false
		v.Table(header, rows)
		require.Contains(t, out.String(), "foopack-extras  0.1.0    foopack-core ==0.1.0  packages/extras/pixi.toml:21\n")
	}
}
