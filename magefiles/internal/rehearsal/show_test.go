package rehearsal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// The report ends with what was rehearsed and what was not. It is not repeated for a user who has inspected the embedded servers.
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
	require.Empty(t, out.String(), "the report was shown already")
	report.page = "/w/output/rehearsal/report.html"
	report.Show(v)
	require.Equal(t, `
w v1.2.3 was rehearsed: 1 package published to an embedded channel by an embedded CI, installed and imported
  the release took 3 runs, because of 1 kill and of injected faults
  a 1.2.3  a-1.2.3-0.conda  sha256 0123456789ab
Not rehearsed:
  ○ images: -full builds them
Report: /w/output/rehearsal/report.html
→ 'mage release'
`, strings.ReplaceAll(out.String(), "`", "'"))
}

// The last line is a release command that works: it has the flags that were rehearsed and never starts a release that waits for a CI in vain.
func TestNextStepOfARehearsal(t *testing.T) {
	minor := bump.Request{To: "minor", Only: "core"}
	none := forge.NoCI{Lacks: "no file publishes"}
	for want, r := range map[string]Report{
		"`mage release`":                                             {},
		"`mage release -to=minor -only=core`":                        {asked: minor},
		"`mage release -to=minor -only=core -publish=here`":          {asked: minor, publish: "here"},
		"`mage release -pr -to=minor -only=core`":                    {asked: minor, ByPull: true},
		none.Next("mage release -to=minor -only=core -publish=here"): {asked: minor, noCI: none},
		none.Next(""): {asked: minor, noCI: none, ByPull: true},
	} {
		require.Equal(t, want, r.next())
	}
}

// The next step does not mention how to continue or undo a release, because a rehearsal can be neither continued nor undone.
func TestNextStepHasNoContinueOrUndo(t *testing.T) {
	for next, want := range map[string]string{
		"":                                   "correct the error above",
		"`mage release` continues from here": "correct the error above",
		"go back to it, or `mage undo`":      "correct the error above",
		"correct the error and commit your change, which the release then includes; or run `mage undo`": "correct the error",
		"set PREFIX_API_KEY; then run `mage release` to continue":                                       "set PREFIX_API_KEY",
		"make the folder writable; or run `mage undo`":                                                  "make the folder writable",
		"name the file in include; then `mage release` continues from here":                             "name the file in include",
	} {
		require.Equal(t, want, cureOf(next), next)
	}
}

// At a terminal, the lines of the report are wrapped between words.
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
		"-faults=-1 is not a seed":             {Faults: -1},
		"-publish=nobody is not a known value": {Publish: "nobody"},
	} {
		err := f.Fit()
		require.ErrorContains(t, err, says)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
}

// A part that several runs left out is reported once. If a later run did that part, it is not reported.
func TestOmissionsAreReportedOnce(t *testing.T) {
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
