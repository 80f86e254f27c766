package targets

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// By what it is known that nothing of a release is on the channel stands beside it.
func TestHowItIsKnownThatNothingWasUploaded(t *testing.T) {
	for name, c := range map[string]struct {
		unseen error
		absent bool
		says   string
	}{
		"the channel was seen": {says: "nothing of it is on https://prefix.dev/ours"},
		"it was not":           {unseen: errors.New("no credential"), says: "nothing of it was sent yet, as far as this clone and the CI know (what https://prefix.dev/ours has, nobody sees here: no credential)"},
		"it is not there":      {absent: true, says: "there is no channel https://prefix.dev/ours, for anyone or for who has the credential that is set here (a private one is not there for who is not a member of it)"},
	} {
		b := &release.Back{Plan: &release.Plan{Channel: "https://prefix.dev/ours"}, Unseen: c.unseen, Absent: c.absent}
		require.Equal(t, c.says, notUploaded(b), name)
	}
}

// A release that is through, and of which there is no journal, has no steps to show: most of them are known by a journal alone.
func TestStatusOfAReleaseOfAnotherClone(t *testing.T) {
	steps := []workflow.Standing{{Step: "build", World: workflow.IsNotDone}}
	for name, c := range map[string]struct {
		s         releaseStatus
		says      string
		hasNoStep bool
	}{
		"released by another clone": {releaseStatus{Title: "v1.0", End: release.Released}, "v1.0: released, by what its tags and the channel say; this clone has no journal of it\n", true},
		"released by this one":      {releaseStatus{Title: "v1.0", End: release.Released, Journal: "x.jsonl", Steps: steps}, "v1.0: released\nSTEP", false},
		"unfinished":                {releaseStatus{Title: "v1.0", Steps: steps}, "v1.0 is tagged on the remote and not complete", false},
	} {
		var out bytes.Buffer
		(&app{view: &view.View{Out: &out, Err: &out}}).showStatus(c.s)
		require.Contains(t, out.String(), c.says, name)
		require.Equal(t, c.hasNoStep, !bytes.Contains(out.Bytes(), []byte("STEP")), name)
	}
}

// Who installs from a private channel logs in first.
func TestHowAReleaseIsInstalled(t *testing.T) {
	specs := []string{`"a==1.0"`, `"b==1.0"`}
	const public = "To install it: pixi workspace channel add https://conda.example:8443/team && pixi add \"a==1.0\" \"b==1.0\""
	require.Equal(t, public, toInstall("https://conda.example:8443/team", specs, false))
	require.Equal(t, public+"\nThe channel is private: who installs from it is a member of it, and runs `pixi auth login conda.example` once",
		toInstall("https://conda.example:8443/team", specs, true))
}
