package commits

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// flaky is a git that fails the first time and succeeds the second.
type flaky struct{ asked int }

var errBusy = errors.New("git was busy")

func (f *flaky) MergedTags(context.Context) (map[string]string, error) {
	if f.asked++; f.asked == 1 {
		return nil, errBusy
	}
	return map[string]string{"v1.0.0": "abc"}, nil
}

func (f *flaky) Tags(ctx context.Context) (map[string]string, error) { return f.MergedTags(ctx) }

func (f *flaky) EachCommit(_ context.Context, _ string, visit func(Commit)) error {
	visit(Commit{Hash: "abc", Subject: "feat: more"})
	if f.asked++; f.asked == 1 {
		return errBusy
	}
	return nil
}

func (*flaky) Versions(context.Context, []string, string) (before, after [][]byte, err error) {
	return nil, nil, nil
}

// A failed query is not cached as an empty result, which would make the bump too small.
func TestFailedQueryIsNotCached(t *testing.T) {
	for name, ask := range map[string]func(h *Past) (int, error){
		"tags": func(h *Past) (int, error) {
			tags, err := h.Merged(t.Context())
			return len(tags), err
		},
		"all tags": func(h *Past) (int, error) {
			tags, err := h.All(t.Context())
			return len(tags), err
		},
		"log": func(h *Past) (int, error) {
			commits, err := h.Since(t.Context(), "v1.0.0")
			return len(commits), err
		},
	} {
		h := Of(&flaky{}, &workspace.Workspace{Manifest: &manifest.Manifest{}})
		_, err := ask(h)
		require.ErrorIs(t, err, errBusy, name)
		for range 2 {
			n, err := ask(h)
			require.NoError(t, err, name)
			require.Equal(t, 1, n, name)
		}
		require.Equal(t, 2, h.History.(*flaky).asked, "a successful query is not repeated: %s", name)
	}
}
