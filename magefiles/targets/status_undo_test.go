package targets

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/release"
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
