package settings

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

func TestReleaseBranch(t *testing.T) {
	for _, c := range []struct {
		name, config, current, remote string
		branch                        string
		ok                            bool
	}{
		{"nothing configured, on the remote's default", "", "trunk", "trunk", "trunk", true},
		{"nothing configured, on another branch", "", "feature", "trunk", "trunk", false},
		{"a remote without a known default", "", "main", "", "main", true},
		{"a remote without a known default, on another branch", "", "master", "", "main", false},
		{"one name", `branch = "stable"`, "stable", "main", "stable", true},
		{"one name, on the remote's default", `branch = "stable"`, "main", "main", "stable", false},
		{"a list, on its name", `branch = ["main", "1.*"]`, "main", "main", "main", true},
		{"a list, on a maintenance branch", `branch = ["main", "1.*"]`, "1.x", "main", "1.x", true},
		{"a list, on another branch", `branch = ["main", "1.*"]`, "2.x", "main", "main", false},
		{"a pattern before the name", `branch = ["1.*", "next"]`, "main", "main", "next", false},
		{"a pattern stops at a slash", `branch = "release*"`, "release/1", "main", "", false},
		{"a pattern with a slash", `branch = "release/v[0-9].?"`, "release/v1.x", "main", "release/v1.x", true},
		{"only patterns, one matches the remote's default", `branch = ["m*"]`, "feature", "main", "main", false},
		{"only patterns, none matches", `branch = ["1.*"]`, "main", "main", "", false},
		{"on no branch", `branch = ["main", "*"]`, "", "main", "main", false},
		{"on no branch, nothing configured", "", "", "main", "main", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := tomledit.Parse("pixi.toml", []byte("[workspace]\nname = \"acme\"\n[tool.release]\n"+c.config+"\n"))
			require.NoError(t, err)
			f := manifest.NewFile(doc, ".", false)
			config := ReadConfig(f, "acme")
			require.NoError(t, f.TakeProblem())
			branch, ok := config.ReleaseBranch(c.current, c.remote)
			require.Equal(t, c.branch, branch)
			require.Equal(t, c.ok, ok)
		})
	}
}

func TestReleaseBranchesNamed(t *testing.T) {
	require.Equal(t, "trunk", Config{}.ReleaseBranches("trunk"))
	require.Equal(t, "main", Config{}.ReleaseBranches(""))
	require.Equal(t, "1.*", Config{Branches: []string{"1.*"}}.ReleaseBranches("trunk"))
	require.Equal(t, "main, 1.* or 2.*", Config{Branches: []string{"main", "1.*", "2.*"}}.ReleaseBranches("trunk"))
}
