package releasing

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// nowhere is no server.
func nowhere(string) (*prefixdev.Client, error) { return nil, errors.New("there is none") }

// What no task checks is said in the plan, and in the last lines, and where it is all of it, in the question.
func TestWhatIsNotChecked(t *testing.T) {
	const nothing = "NOTHING IS CHECKED: the workspace has no task qa-<package>, and none for tests\n"
	for tasks, want := range map[string]struct{ said, question string }{
		"":                                     {nothing, "Release v1, of which nothing is checked?"},
		"tests = \"x\"\nbuild = \"x\"":         {nothing, "Release v1, of which nothing is checked?"},
		"qa-b-lib = \"x\"\n\"test-.\" = \"x\"": {nothing, "Release v1, of which nothing is checked?"},
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
		r := Releaser{Dir: root, View: &view.View{Out: &out, Err: &out}, Channels: ourchannel.New(ourchannel.Config{Open: nowhere})}
		require.Equal(t, want.question, r.question("v1"), tasks)
		require.Equal(t, want.said, out.String(), tasks)
		out.Reset()
		r.Show(t.Context(), release.Result{Plan: &plan.Plan{Title: "v1", Bump: &bump.Plan{}}})
		require.Contains(t, out.String(), "were at v1 already\n"+want.said+"To install it", tasks)
	}
}

// Who installs from a private channel logs in first.
func TestHowAReleaseIsInstalled(t *testing.T) {
	specs := []string{`"a==1.0"`, `"b==1.0"`}
	const public = "To install it: pixi workspace channel add https://conda.example:8443/team && pixi add \"a==1.0\" \"b==1.0\""
	require.Equal(t, public, toInstall("https://conda.example:8443/team", specs, false))
	require.Equal(t, public+"\nThe channel is private: who installs from it is a member of it, and runs `pixi auth login conda.example` once",
		toInstall("https://conda.example:8443/team", specs, true))
}
