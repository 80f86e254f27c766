package bump_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/monorepotest"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// BenchmarkPlan measures loading a workspace with 1000 packages and making a plan for it.
func BenchmarkPlan(b *testing.B) {
	root := b.TempDir()
	require.NoError(b, monorepotest.Write(root, 1000, "0.1.6"))
	w, err := workspace.Load(root)
	require.NoError(b, err)
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := workspace.Load(root); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bump.New(b.Context(), w, bump.Request{To: "patch"}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
