package publish_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/publish"
)

// Packages with separate versions have one CI run per tag, and each run lists all packages. Each package is counted once.
func TestPackagesOfSeveralRunsAreCountedOnce(t *testing.T) {
	t.Parallel()
	kept := publish.Published{Name: "core", File: "core-1.2.0-0.conda", State: publish.Kept}
	first := []publish.Published{kept, {Name: "io", File: "io-0.4.2-0.conda", State: publish.Upload}, {Name: "cli", File: "cli-2.0.1-0.conda", State: publish.Upload}}
	second := []publish.Published{kept, {Name: "io", File: "io-0.4.2-0.conda", State: publish.There}, {Name: "cli", File: "cli-2.0.1-0.conda", State: publish.There}}
	require.Equal(t, first, publish.Union(publish.Union([]publish.Published{}, first), second))
}
