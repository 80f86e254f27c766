package view

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// The scale begins with 0 and has even, round intervals, and the text of the last mark fits.
func TestTheScaleOfAReport(t *testing.T) {
	for whole, want := range map[time.Duration][]string{
		50 * time.Millisecond:  {"0"},
		450 * time.Millisecond: {"0", "0.1s", "0.2s", "0.3s"},
		7 * time.Second:        {"0", "2.0s", "4.0s"},
		41 * time.Second:       {"0", "10s", "20s", "30s"},
		430 * time.Second:      {"0", "2m00s", "4m00s", "6m00s"},
		3 * time.Hour:          {"0", "1h00m", "2h00m"},
		100 * time.Hour:        {"0", "1h00m"},
	} {
		var said []string
		for _, tick := range ticks(whole, func(time.Duration) string { return "" }) {
			said = append(said, tick.Says)
		}
		require.Equal(t, want, said[:min(len(said), len(want))], whole)
		if whole <= 3*time.Hour {
			require.Len(t, said, len(want), whole)
		}
	}
}

// Evidence that lists several things is shown as a list.
func TestEvidenceIsAList(t *testing.T) {
	for evidence, want := range map[string][]string{
		"commit 1, 2 packages":                     nil,
		"main; a tool; a channel\nmore":            {"main", "a tool", "a channel"},
		"a-1-0.conda 1, b-1-0.conda 2; built by x": {"a-1-0.conda 1", "b-1-0.conda 2", "built by x"},
		"a: b 1 → 2, c: b 1 → 2":                   {"a: b 1 → 2", "c: b 1 → 2"},
	} {
		require.Equal(t, want, ReportStep{Evidence: evidence}.Items(), evidence)
	}
}

// The page has the date, the duration, the machine, the plan, the diff, the changelog, the logs, and the next step.
func TestContentsOfAReport(t *testing.T) {
	dir := t.TempDir()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	require.NoError(t, WriteReport(dir, Report{
		Title: "w v0.2.0",
		Began: began,
		Took:  65 * time.Second,
		Facts: [][2]string{{"machine", "linux/amd64, 2 processors"}, {"toolchain", ""}},
		Plan: &bump.Plan{
			Packages: []bump.Move{{Name: "a", Old: "0.1.0", New: "0.2.0", Why: []bump.Reason{{Text: "asked for"}}}},
			Files: []bump.File{
				{Path: "a/pixi.toml", Edits: []bump.Edit{{Line: 3, Col: 12, Text: `version = "0.1.0"`, Old: "0.1.0", New: "0.2.0"}}},
				{Path: "CHANGELOG.md", Edits: []bump.Edit{{Line: 1, New: "## 0.2.0\n\n- a feature\n"}}},
			},
			Notes: []string{"be careful"},
		},
		Next: "`mage release -to=minor`",
		Steps: []ReportStep{
			{Name: "check", Of: "release", Began: began, Took: time.Second, Log: "12 passed\n"},
			{Name: "build", Of: "release.yml", Heading: "The jobs of <release.yml>", Began: began, Took: time.Second},
		},
	}, nil))
	page, err := os.ReadFile(filepath.Join(dir, ReportPage))
	require.NoError(t, err)
	for _, says := range []string{
		"2026-01-02 03:04 UTC", "<dd>1m05s</dd>", "linux/amd64, 2 processors", "0.1.0 → 0.2.0", "asked for", "note: be careful",
		"a/pixi.toml", "&#43; version = &#34;0.2.0&#34;", "- a feature", "<summary>log</summary><pre>12 passed\n</pre>", "<code>mage release -to=minor</code>",
		`<pre class="diff"><span>`, `<tr class="part"><td colspan="4">The jobs of &lt;release.yml&gt;</td></tr>`,
	} {
		require.Contains(t, string(page), says)
	}
	require.NotContains(t, string(page), "toolchain")
}

// While the embedded servers still run for the user, the page does not say that the rehearsal has ended.
func TestReportWhileServersRun(t *testing.T) {
	for running, says := range map[bool]string{true: "which runs until Ctrl-C: then nothing answers", false: "which has ended: nothing answers"} {
		dir := t.TempDir()
		require.NoError(t, WriteReport(dir, Report{Title: "w v0.2.0", Running: running}, nil))
		page, err := os.ReadFile(filepath.Join(dir, ReportPage))
		require.NoError(t, err)
		require.Contains(t, string(page), says)
	}
}
