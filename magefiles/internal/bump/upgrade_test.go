package bump_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// onChannel is a channel with fixed versions.
type onChannel map[string][]string

func (c onChannel) Versions(context.Context, *workspace.Downstream, []string) (map[string][]string, error) {
	return c, nil
}

const downstreams = lockstep + `
-- a/pixi.toml --
[package]
name = "a"
version = "0.3.0"
build.backend.name = "x"
-- b/pixi.toml --
[package]
name = "b"
version = "0.3.0"
build.backend.name = "x"
-- app/pixi.toml --
[workspace]
channels = ["https://prefix.dev/ours"]
version = "0.1.6"
[dependencies]
a = "==0.1.6" # both
b = { version = "==0.1.6", build = "py*" }
a-tools = "==0.1.6"
[feature.x.pypi-dependencies]
A = "==0.1.5"
-- app/pyproject.toml --
[project]
name = "app"
version = "0.1.6"
dependencies = ["A==0.1.6", "numpy==0.1.6"]
-- app/pixi.lock --
-- only-a/pixi.toml --
[workspace]
channels = ["https://prefix.dev/ours"]
[dependencies]
a = ">=0.1,<0.2"
-- any/pixi.toml --
[workspace]
channels = ["https://prefix.dev/ours"]
[dependencies]
a = "*"
`

func upgrade(t *testing.T, root, only string, req bump.Request, c onChannel) (*bump.Plan, error) {
	w := load(t, root)
	d, err := w.Downstream(only)
	require.NoError(t, err)
	return bump.Upgrade(t.Context(), w, []*workspace.Downstream{d}, req, c)
}

// All exact pins of a downstream on our packages move, and nothing else changes.
func TestUpgrade(t *testing.T) {
	root := tree(t, downstreams)
	c := onChannel{"a": {"0.1.6", "0.2.0", "0.3.0rc1", "0.10.0", "not-one"}, "b": {"0.1.6", "0.2.0"}}
	p, err := upgrade(t, root, "app", bump.Request{}, c)
	require.NoError(t, err)
	want := []string{
		"app/pixi.toml:5 0.1.6 → 0.2.0", "app/pixi.toml:6 0.1.6 → 0.2.0", "app/pixi.toml:9 0.1.5 → 0.2.0", "app/pyproject.toml:4 0.1.6 → 0.2.0",
	}
	require.Equal(t, want, edits(p))
	require.Equal(t, []string{"a 0.1.6 → 0.2.0: channel", "b 0.1.6 → 0.2.0: channel"}, moves(p))
	require.Equal(t, "app", p.Packages[0].In)
	require.Equal(t, []string{
		"the channel has a 0.10.0, but lacks that version of other packages that app uses",
		"app/pixi.lock still has the old versions: run `mage lock`",
	}, p.Notes)
	apply(t, root, p)

	p, err = upgrade(t, root, "app", bump.Request{To: "0.1.0rc1"}, nil)
	require.NoError(t, err)
	require.Len(t, edits(p), 4)
	_, err = upgrade(t, root, "app", bump.Request{To: "minor"}, nil)
	require.ErrorContains(t, err, "cannot bump them")
	_, err = upgrade(t, root, "app", bump.Request{To: "abc"}, nil)
	require.Regexp(t, `"abc" is not a version.*\n→ pass a version, such as -to=0.2.0`, fmt.Sprintf("%+v", err))
	for _, c := range []struct{ of, to, says string }{
		{"app", "v1.3.0", `"v1.3.0" is not a version.*\n→ pass -to=1.3.0$`},
		{"app", "2", `-to=2 has one number, but the current version 0.2.0 has 3\n→ pass -to=2.0.0$`},
		{"only-a", "2rc1", `-to=2rc1 has one number, but the current version 0.3.0 has 3\n→ pass -to=2.0.0rc1$`},
	} {
		_, err = upgrade(t, root, c.of, bump.Request{To: c.to}, nil)
		require.Regexp(t, c.says, fmt.Sprintf("%+v", err))
		require.Equal(t, operr.Usage, operr.ExitStatus(err), c.to)
	}
	_, err = upgrade(t, root, "app", bump.Request{}, onChannel{"a": {"0.1.0"}})
	require.ErrorContains(t, err, "the channel has no release of b")
	_, err = upgrade(t, root, "app", bump.Request{}, onChannel{"a": {"0.1.0"}, "b": {"0.2.0"}})
	require.ErrorContains(t, err, "no common version of the packages that app uses: a, b")

	_, err = upgrade(t, root, "only-a", bump.Request{}, c)
	require.ErrorContains(t, err, "is outside 1 range")
	p, err = upgrade(t, root, "only-a", bump.Request{Raise: true}, c)
	require.NoError(t, err)
	require.Equal(t, []string{"only-a/pixi.toml:4 >=0.1,<0.2 → >=0.10.0,<0.11"}, edits(p))
	p, err = upgrade(t, root, "any", bump.Request{}, c)
	require.NoError(t, err)
	require.Empty(t, p.Files)
	require.Contains(t, p.Notes[0], "pins no version of any package")
}

// If packages have separate versions, one version cannot be requested for several packages, and nothing is changed.
func TestUpgradeToOneVersionIsAmbiguous(t *testing.T) {
	root := tree(t, strings.Replace(downstreams, lockstep, independent, 1))
	for _, c := range []struct{ only, to, err string }{
		{"app", "0.2.0", "-to=0.2.0 is the version of one package, but app uses a, b, which have separate versions; nothing was changed"},
		{"app", "0.1.6", "-to=0.1.6 is the version of one package, but app uses a, b, which have separate versions; nothing was changed"},
		{"only-a", "0.1.8", ""},
		{"any", "0.2.0", ""},
	} {
		_, err := upgrade(t, root, c.only, bump.Request{To: c.to}, nil)
		if c.err == "" {
			require.NoError(t, err, c.only)
			continue
		}
		require.EqualError(t, err, c.err)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
	p, err := upgrade(t, root, "app", bump.Request{}, onChannel{"a": {"0.2.0"}, "b": {"0.4.0"}})
	require.NoError(t, err)
	require.Len(t, p.Packages, 2)
}
