package releasing

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// nowhere returns an error instead of a client.
func nowhere(string) (*prefixdev.Client, error) { return nil, errors.New("there is none") }

// Both the plan and the result list the packages that no task checks. If none is checked, the question says so.
func TestUncheckedPackages(t *testing.T) {
	const nothing = "NOTHING IS CHECKED: the workspace has no qa-<package> task and no test task\n"
	for tasks, want := range map[string]struct{ said, question string }{
		"":                                     {nothing, "Release v1 without checks?"},
		"tests = \"x\"\nbuild = \"x\"":         {nothing, "Release v1 without checks?"},
		"qa-b-lib = \"x\"\n\"test-.\" = \"x\"": {nothing, "Release v1 without checks?"},
		"qa-a = \"x\"":                         {"NOT CHECKED: b, c, for want of a task qa-<package>, or one for tests\n", "Release v1?"},
		"test-b = \"x\"":                       {"NOT CHECKED: a, c, for want of a task qa-<package>, or one for tests\n", "Release v1?"},
		"qa-a = \"x\"\ntest-b = \"x\"\nqa-c = \"x\"": {"", "Release v1?"},
		"qa = \"x\"":                 {"", "Release v1?"},
		"test-all = \"x\"":           {"", "Release v1?"},
		"test = \"x\"\nqa-a = \"x\"": {"", "Release v1?"},
	} {
		root := t.TempDir()
		for file, text := range map[string]string{
			"pixi.toml":   "[workspace]\nname = \"w\"\n[tasks]\n" + tasks + "\n",
			"a/pixi.toml": "[package]\nname = \"a\"\nversion = \"1\"\nbuild.backend.name = \"x\"\n",
			"b/pixi.toml": "[package]\nname = \"b\"\nversion = \"1\"\nbuild.backend.name = \"x\"\n",
			"c/pixi.toml": "[package]\nname = \"c\"\nversion = \"1\"\nbuild.backend.name = \"x\"\n",
		} {
			file = filepath.Join(root, file)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		}
		var out bytes.Buffer
		r := Releaser{Runner: command.NewSystem(os.Environ(), nil), Dir: root, View: &view.View{Out: &out, Err: &out}, Channels: ourchannel.New(ourchannel.Config{Open: nowhere})}
		require.Equal(t, want.question, r.question("v1"), tasks)
		require.Equal(t, want.said, out.String(), tasks)
		out.Reset()
		r.Show(t.Context(), release.Result{Plan: &plan.Plan{Title: "v1", Bump: &bump.Plan{}}})
		require.Contains(t, out.String(), "already had v1\n"+want.said+"To install it", tasks)
		require.True(t, strings.HasSuffix(out.String(), "\n→ `mage channel:show`\n"), out.String())
		out.Reset()
		r.Show(t.Context(), release.Result{Already: true, Plan: &plan.Plan{Title: "v1", Bump: &bump.Plan{}}})
		require.True(t, strings.HasSuffix(out.String(), "nothing was changed\n→ `mage channel:show`\n"), out.String())
	}
}

// For a private channel, the instructions include logging in.
func TestHowAReleaseIsInstalled(t *testing.T) {
	specs := []string{`"a==1.0"`, `"b==1.0"`}
	const public = "To install it: pixi workspace channel add https://conda.example:8443/team && pixi add \"a==1.0\" \"b==1.0\""
	require.Equal(t, public, installCommand("https://conda.example:8443/team", specs, false))
	require.Equal(t, public+"\nThe channel is private: whoever installs from the channel must be a member, and must run `pixi auth login conda.example` once",
		installCommand("https://conda.example:8443/team", specs, true))
}
