package publishing

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// A CI job has only the steps that it has the rights for. A job with -check does not use the channel, and a job that uploads does not run code from
// packages.
func TestStepsOfAJob(t *testing.T) {
	verify := []string{"read the index back", "download and compare", "install", "import"}
	for name, c := range map[string]struct {
		flags Flags
		steps []string
		sends bool
	}{
		"no flags": {
			sends: true,
			steps: append([]string{"look at the channel", "find a credential", "build", "plan", "import what was built", "upload"}, verify...),
		},
		"-check": {
			flags: Flags{From: "output", Check: true},
			steps: []string{"take what was built", "import what was built"},
		},
		"-from": {
			flags: Flags{From: "output", Digests: "{}"},
			sends: true,
			steps: []string{"take what was built", "look at the channel", "find a credential", "plan", "upload", "read the index back"},
		},
		"-verify": {
			flags: Flags{Verify: true, Digests: "{}"},
			steps: append([]string{"look at the channel"}, verify...),
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, c.flags.Fit())
			require.Equal(t, c.sends, c.flags.Sends())
			var names []string
			for _, s := range (&Publication{flags: c.flags}).steps() {
				names = append(names, s.Name)
				require.Equal(t, s.Name == "upload", s.Ask != nil, "only the step that uploads asks for confirmation")
			}
			require.Equal(t, c.steps, names)
		})
	}
}

func TestContradictoryFlags(t *testing.T) {
	for want, f := range map[string]Flags{
		"-verify cannot be combined with -check, -from or -force":         {Verify: true, Force: true},
		"-check installs and imports the packages in the folder of -from": {Check: true},
		"-check uploads nothing, but -force":                              {Check: true, From: "output", Force: true},
		"-digests describes the files in the folder of -from":             {Digests: "{}"},
		"because -verify checks only the packages on the channel":         {Verify: true, From: "output"},
	} {
		err := f.Fit()
		require.ErrorContains(t, err, want)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
}

// Digests are appended to the job's earlier outputs. Outside of CI nothing is written.
func TestDigestsAreTheOutputOfAJob(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outputs")
	require.NoError(t, os.WriteFile(file, []byte("other=1\n"), 0o600))
	d := publish.Digests{Run: "7", Commit: "c", Files: []publish.Digest{}}
	require.NoError(t, CI{}.HandOn(d))
	require.NoError(t, CI{Output: file}.HandOn(d))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	line, err := d.Line()
	require.NoError(t, err)
	require.Equal(t, "other=1\ndigests="+line+"\n", string(text))
	require.ErrorContains(t, CI{Output: filepath.Join(file, "x")}.HandOn(d), "writing the output of the job")
}
