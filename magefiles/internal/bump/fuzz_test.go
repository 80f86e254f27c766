package bump_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

const fuzzed = `
-- pixi.toml --
[workspace]
name = "w"
channels = ["conda-forge"]
platforms = ["linux-64"]
[dependencies]
a = { path = "a" }
-- a/pixi.toml --
[package]
name = "a"
version = "1.0.0"
[package.build]
backend = { name = "pixi-build-python", version = "*" }
-- a/pyproject.toml --
[project]
name = "a"
version = "1.0.0"
-- CHANGELOG.md --
# Changelog
`

// seeds adds valid plans and similar texts to the corpus.
func seeds(f *testing.F) {
	f.Helper()
	root := tree(f, fuzzed)
	good, err := json.Marshal(plan(f, root, bump.Request{To: "minor", Changelog: true, Date: "2026-01-02"}, history{}))
	require.NoError(f, err)
	f.Add(good)
	for _, text := range []string{
		"", "null", "[]", "{}", `{"format":1}`, `{"format":1,"files":[{"path":"../../x","before":"","after":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]}`,
		`{"format":1,"files":[{"path":"/x","edits":[{"at":-1}]}],"read":{"/x":"y"}}`, `{"format":1,"files":[{"path":"CHANGELOG.md","edits":[{"at":99999,"old":"x"},{"at":3,"new":"y"}]}]}`,
	} {
		f.Add([]byte(text))
	}
}

// FuzzPlanFile checks that, for any -plan=FILE, only files in the workspace are written, and their digests match the plan.
func FuzzPlanFile(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		top := t.TempDir()
		root := filepath.Join(top, "work")
		require.NoError(t, os.Rename(tree(t, fuzzed), root))
		file := filepath.Join(top, "plan.json")
		require.NoError(t, os.WriteFile(file, data, 0o644))
		p, err := bump.ReadPlan(file)
		if err != nil {
			require.Equal(t, operr.Usage, operr.ExitStatus(err))
			require.NotEmpty(t, operr.NextOf(err))
			return
		}
		before := files(t, top)
		if err := p.Check(load(t, root)); err != nil {
			require.NotEmpty(t, operr.NextOf(err))
			require.Equal(t, before, files(t, top))
			return
		}
		_, err = (&bump.Store{Top: root, Dir: filepath.Join(root, ".git", "state")}).Apply(t.Context(), p)
		after := files(t, top)
		if err != nil {
			require.NotEmpty(t, operr.NextOf(err))
			require.Equal(t, before, after)
			return
		}
		for name, text := range after {
			switch name {
			case "work/pixi.toml", "work/a/pixi.toml", "work/a/pyproject.toml", "work/CHANGELOG.md":
			default:
				require.Equal(t, before[name], text, name)
			}
		}
	})
}

// clone is a Repo with fixed changes. It implements only the methods that the test needs.
type clone struct {
	bump.Repo
	changed []string
}

func (c clone) Changed(context.Context) ([]string, error) { return c.changed, nil }

func (clone) Resolve(_ context.Context, rev string) (string, error) { return "base of " + rev, nil }

// FuzzPending checks that Pending returns and changes no file, for any stored plan.
func FuzzPending(f *testing.F) {
	seeds(f)
	for _, text := range []string{`{"plan":null}`, `{"plan":{"format":1,"files":[]},"base":"x"}`, `{"plan":{"format":1,"files":[{"path":"a/pixi.toml","after":"x"}]}}`, `{"plan":{"format":1,"files":[{"path":"../../../../../etc/passwd"}]}}`} {
		f.Add([]byte(text))
	}
	root := tree(f, fuzzed)
	s := store(root)
	require.NoError(f, os.MkdirAll(s.Dir, 0o755))
	before := files(f, root)
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(s.Dir, "bump.json"), data, 0o644))
		for _, changed := range [][]string{nil, {"a/pixi.toml"}, {"other"}} {
			pending, err := s.Pending(t.Context(), clone{changed: changed})
			if err == nil && pending != nil {
				require.NotNil(t, pending.Plan)
				_ = pending.Fits(bump.Request{To: "1.0.1", Only: "a"})
			}
		}
		require.Equal(t, before, files(t, root))
	})
}

// Reading a plan from an endless file fails.
func TestHostilePlanFile(t *testing.T) {
	for _, endless := range []string{"/dev/zero", "/dev/urandom"} {
		if _, err := os.Stat(endless); err != nil {
			require.Empty(t, os.Getenv("CI"), "CI has %s: %v", endless, err)
			t.Skipf("there is no %s here to be read without an end", endless)
		}
		_, err := bump.ReadPlan(endless)
		require.ErrorContains(t, err, "has more than")
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
}
