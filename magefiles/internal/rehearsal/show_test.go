package rehearsal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// What was rehearsed, and what was not, is the end of it. A person who has looked around has seen it.
func TestAReportIsShownOnce(t *testing.T) {
	report := Report{
		Workspace: "w",
		Release:   "v1.2.3",
		Packages:  []publish.Published{{Name: "a", Version: "1.2.3", File: "a-1.2.3-0.conda", SHA256: "0123456789abcdef"}},
		Jobs:      []Job{{}},
		Missing:   []Missing{{What: "images", Why: "-full builds them"}},
		Runs:      3,
		Kills:     1,
	}
	var out bytes.Buffer
	v := &view.View{Out: &out, Err: &out}
	report.Show(v)
	require.Empty(t, out.String(), "it was shown already")
	report.page = "/w/output/rehearsal/report.html"
	report.Show(v)
	require.Equal(t, `
w v1.2.3 was rehearsed: 1 package published to an embedded channel by an embedded CI, installed and imported
  through 3 runs: 1 kill, and faults for the rest
  a 1.2.3  a-1.2.3-0.conda  sha256 0123456789ab
Not rehearsed:
  ○ images: -full builds them
Report: /w/output/rehearsal/report.html
→ 'mage release'
`, strings.ReplaceAll(out.String(), "`", "'"))
}

// How a release goes on, or is taken back, is nothing that a person could do about a rehearsal.
func TestTheNextStepOfAReleaseThatWasRehearsed(t *testing.T) {
	for next, want := range map[string]string{
		"":                                 "see what it says above, correct that",
		"`mage release` goes on from here": "see what it says above, correct that",
		"go back to it, or `mage undo`":    "see what it says above, correct that",
		"correct it and commit that, and the release takes it along; or `mage undo`": "correct it",
		"name the file in include; then `mage release` goes on from here":            "name the file in include",
	} {
		require.Equal(t, want, cureOf(next), next)
	}
}

// At a terminal each line of it is broken between words.
func TestAReportFits(t *testing.T) {
	report := Report{
		Workspace: "w",
		Release:   "v1.2.3",
		Packages:  []publish.Published{{Name: "package-of-ours", Version: "1.2.3", File: "package-of-ours-1.2.3-0.conda", SHA256: "0123456789abcdef"}},
		Missing:   []Missing{{What: "the approval of the environment release", Why: "nobody is asked here, and each job is let through"}},
		page:      "/w/report.html",
	}
	var out bytes.Buffer
	report.Show(&view.View{Out: &out, Err: &out, Breaks: true, Width: func() int { return 40 }})
	for line := range strings.Lines(out.String()) {
		require.LessOrEqual(t, len([]rune(strings.TrimRight(line, "\n"))), 40, line)
	}
	require.Contains(t, out.String(), "  ○ the approval of the environment\n    release: nobody")
}

func TestFlags(t *testing.T) {
	for _, by := range []string{"", "here", "ci"} {
		require.NoError(t, Flags{Publish: by, Faults: 1}.Fit())
	}
	for says, f := range map[string]Flags{
		"-faults=-1 is no seed":                      {Faults: -1},
		"-publish=nobody does not say who publishes": {Publish: "nobody"},
	} {
		err := f.Fit()
		require.ErrorContains(t, err, says)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
}

// What the runs of a release left out is said once, and not any more where a later run has done it.
func TestWhatRunsLeftOutIsSaidOnce(t *testing.T) {
	of := func(conclusion string) Job {
		return Job{Run: &workflows.Report{
			Workflow: "ci.yml",
			Jobs:     []workflows.Job{{Name: "a", Line: 3, Conclusion: conclusion, Why: "if"}},
		}}
	}
	r := &run{}
	r.missing("signing", "x")
	for range 2 {
		r.report.Jobs = []Job{of("skipped")}
		r.takeRuns()
		require.Len(t, r.report.Missing, 3)
		require.Equal(t, "the job a, ci.yml:3", r.report.Missing[1].What)
	}
	r.report.Jobs = append(r.report.Jobs, of("success"))
	r.takeRuns()
	require.Len(t, r.report.Missing, 2)
	require.Equal(t, "signing", r.report.Missing[0].What)
	require.Equal(t, "GitHub's machines", r.report.Missing[1].What)
}
