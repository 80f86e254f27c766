package folders_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Packages in a local channel may exist nowhere else. The user is asked before they are removed, after everything that will be removed was listed
// with its size.
func TestCleanAsksBeforePublishedPackages(t *testing.T) {
	root := t.TempDir()
	put := func(file, text string) {
		path := filepath.Join(root, filepath.FromSlash(file))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	put("pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n")
	put(".pixi/embedded/test/x", "1234")
	at := filepath.Join(root, "output", folders.Channels)
	s, err := store.Open(at)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	runner := command.NewSystem(os.Environ(), nil)
	require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"init", "-q"}, Dir: root}))
	w, err := workspace.Load(root)
	require.NoError(t, err)
	var said, asked []string
	remove := os.RemoveAll
	clean := func(answer error) error {
		said, asked = nil, nil
		return folders.Cleaner{
			Runner: runner,
			Remove: func(path string) error { return remove(path) },
			Agree: func(_ context.Context, question string) error {
				asked = append(asked, question)
				return answer
			},
			Size: func(bytes int64) string { return fmt.Sprintf("%d B", bytes) },
			Say:  func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) },
		}.Clean(t.Context(), w)
	}
	put("output/channels/mono/noarch/a-1-0.conda", "12345678")
	put("output/channels/mono/noarch/b-1-0.conda", "12")
	no := errors.New("no")
	require.ErrorIs(t, clean(no), no)
	require.Len(t, said, 2)
	require.Regexp(t, `^output \(channels\), \d+ B$`, said[0])
	require.Equal(t, ".pixi/embedded (test), 4 B", said[1])
	require.Equal(t, []string{"Remove all of this, including 2 packages (10 B) that were published to channels in output/channels?"}, asked)
	require.FileExists(t, filepath.Join(at, "mono", "noarch", "a-1-0.conda"))
	require.FileExists(t, filepath.Join(root, ".pixi", "embedded", "test", "x"))

	put("output/mine.csv", "")
	require.NoError(t, os.Remove(filepath.Join(at, "mono", "noarch", "b-1-0.conda")))
	require.NoError(t, clean(nil))
	require.Equal(t, []string{"Remove all of this, including 1 package (8 B) that was published to channels in output/channels?"}, asked)
	require.NoDirExists(t, at)
	require.FileExists(t, filepath.Join(root, "output", "mine.csv"))

	require.NoError(t, os.MkdirAll(at, 0o755)) // removing an empty channel folder loses nothing
	require.NoError(t, clean(no))
	require.Empty(t, asked)
	require.NoDirExists(t, at)

	for _, c := range []struct{ lock, says string }{
		{".git/" + folders.State + "/release.lock", "nothing was removed, because a release is under way: locked by process"},
		{".git/" + folders.State + "/deploy/app.staging/deployment.lock", "nothing was removed, because a deployment is under way: locked by process"},
		{".git/" + folders.State + "/deliver/delivery.lock", "nothing was removed, because a delivery is under way: locked by process"},
		{"output/rehearsal/.lock", "nothing was removed, because a rehearsal is under way: locked by process"},
		{"output/images/app/lock", "nothing was removed, because a build of an image of app is under way: locked by process"},
	} {
		put("output/rehearsal/.gitignore", "*\n")
		put("output/rehearsal/report.html", "")
		put("lib/pixi.toml", "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n[package.build.backend]\nname = \"pixi-build-cmake\"\n")
		put("app/pixi.toml", "[workspace]\nname = \"app\"\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = []\n[dependencies]\nlib = \"==1.0.0\"\n")
		w, err = workspace.Load(root)
		require.NoError(t, err)
		unlock, _, err := journal.Lock(filepath.Join(root, filepath.FromSlash(c.lock)))
		require.NoError(t, err)
		err = clean(no)
		require.ErrorContains(t, err, c.says)
		require.Equal(t, operr.Stopped, operr.ExitStatus(err))
		require.FileExists(t, filepath.Join(root, "output", "rehearsal", "report.html"))
		unlock()
		require.NoError(t, clean(no))
		require.NoFileExists(t, filepath.Join(root, "output", "rehearsal", "report.html"))
	}

	put("output/release/a/x", "")
	put("output/release/z/x", "")
	put("output/release/.gitignore", "*\n")
	killed := errors.New("killed")
	remove = func(path string) error {
		if filepath.Base(path) == "z" {
			return killed
		}
		return os.RemoveAll(path)
	}
	require.ErrorIs(t, clean(no), killed)
	remove = os.RemoveAll
	require.NoError(t, clean(no)) // the remaining files are still marked as ours
	require.NoDirExists(t, filepath.Join(root, "output", "release"))

	// The same applies if the whole folder is removed.
	require.NoError(t, os.Remove(filepath.Join(root, "output", "mine.csv")))
	require.NoError(t, provenance.WriteMade(filepath.Join(root, "output", "z.json"), []byte("{}")))
	put("output/release/a/x", "")
	put("output/release/z/x", "")
	put("output/release/.gitignore", "*\n")
	remove = func(path string) error {
		if filepath.Base(path) == "z" {
			return killed
		}
		return os.RemoveAll(path)
	}
	require.ErrorIs(t, clean(no), killed)
	require.FileExists(t, filepath.Join(root, "output", provenance.MadeFile))
	remove = os.RemoveAll
	require.NoError(t, clean(no))
	require.NoDirExists(t, filepath.Join(root, "output"))
}
