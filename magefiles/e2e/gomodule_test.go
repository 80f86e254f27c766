package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const refusedByGo = "note: Go modules that import example.org/mono/lib cannot use the tag v2.0.0, because go.mod does not declare the module example.org/mono/v2"

// Before the user agrees to a plan, the plan warns of tags that Go would not accept. It does so only if the repository is a module that others can
// import.
func TestPlanWarnsOfTagsThatGoRejects(t *testing.T) {
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
			out, status := r.mage("release", "-to="+c.to) // not at a terminal, so it cannot ask
			require.Equal(t, 3, status, out)
			require.Equal(t, c.notes, strings.Contains(out, refusedByGo), out)
		})
	}
}
