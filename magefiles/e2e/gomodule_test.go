package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const refusedByGo = "note: whoever imports example.org/mono/lib cannot use the tag v2.0.0: in go.mod the module would have to be example.org/mono/v2"

// A plan says of its tags what Go would refuse, before anyone agrees to it, and where somebody imports the module alone.
func TestPlansNoteWhatGoRefuses(t *testing.T) {
	mod := map[string]string{"go.mod": "module example.org/mono\n\ngo 1.26\n"}
	for name, c := range map[string]struct {
		files map[string]string
		to    string
		notes bool
	}{
		"a library":            {map[string]string{"lib/lib.go": "package lib\n"}, "2.0.0", true},
		"a library, in 1":      {map[string]string{"lib/lib.go": "package lib\n"}, "1.0.0", false},
		"a magefile":           {map[string]string{"magefiles/magefile.go": "//go:build mage\n\npackage main\n"}, "2.0.0", false},
		"internal to a module": {map[string]string{"internal/lib/lib.go": "package lib\n"}, "2.0.0", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{files: mod})
			for file, text := range c.files {
				write(t, r.dir, file, text)
			}
			r.pushAll("feat: go")
			out := r.ok("version:plan", "-to="+c.to)
			require.Equal(t, c.notes, strings.Contains(out, refusedByGo), out)
			out, status := r.mage("release", "-to="+c.to) // nobody can be asked
			require.Equal(t, 3, status, out)
			require.Equal(t, c.notes, strings.Contains(out, refusedByGo), out)
		})
	}
}
