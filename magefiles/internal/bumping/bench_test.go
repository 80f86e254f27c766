package bumping_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/command"
)

// BenchmarkLongHistory measures `-to=auto` with 100,000 commits since the last tag, and the `git log` that reads them. It also reports the maximum
// live heap in MB. Run it with: go test ./magefiles/internal/bumping -run '^$' -bench LongHistory -benchtime 3x
func BenchmarkLongHistory(b *testing.B) {
	dir := b.TempDir()
	require.NoError(b, exec.Command("git", "init", "-q", "-b", "main", dir).Run())
	load := exec.Command("git", "fast-import", "--quiet")
	load.Dir = dir
	in, err := load.StdinPipe()
	require.NoError(b, err)
	require.NoError(b, load.Start())
	w := bufio.NewWriter(in)
	data := func(text string) { fmt.Fprintf(w, "data %d\n%s\n", len(text), text) }
	for i := range 100_001 {
		fmt.Fprintf(w, "commit refs/heads/main\nmark :%d\ncommitter a <a@b> %d +0000\n", i+1, 1_600_000_000+60*i)
		data(fmt.Sprintf("%s(p%d): what number %d does to it\n\n%s", []string{"feat", "fix", "docs", "chore", "refactor"}[i%5], i%20, i, "Why it does so is said in a line or two, as people do.\nThis is the other one.\n"))
		if i > 0 {
			fmt.Fprintf(w, "from :%d\n", i)
		}
		for p := range 20 {
			if i == 0 {
				fmt.Fprintf(w, "M 100644 inline p%d/pixi.toml\n", p)
				data(fmt.Sprintf("[package]\nname = \"p%d\"\nversion = \"0.1.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\", version = \"*\" }\n", p))
			}
		}
		fmt.Fprintf(w, "M 100644 inline p%d/src/m%d.py\n", i%20, i%50)
		data(fmt.Sprintf("x = %d\n", i))
	}
	fmt.Fprint(w, "reset refs/tags/v0.1.0\nfrom :1\n")
	require.NoError(b, w.Flush())
	require.NoError(b, in.Close())
	require.NoError(b, load.Wait())
	require.NoError(b, exec.Command("git", "-C", dir, "reset", "--quiet", "--hard").Run())
	require.NoError(b, os.WriteFile(filepath.Join(dir, "pixi.toml"), []byte("[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n"), 0o644))

	b.Run("git", func(b *testing.B) {
		var cpu float64
		for b.Loop() {
			cmd := exec.Command("git", "-C", dir, "log", "--diff-merges=first-parent", "--name-only", "-z", "--format=%H%P%B", "v0.1.0..HEAD")
			require.NoError(b, cmd.Run())
			cpu += cmd.ProcessState.UserTime().Seconds()
		}
		b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
	})
	b.Run("auto", func(b *testing.B) {
		for b.Loop() {
			t, err := bumping.Open(b.Context(), bumping.Config{Runner: command.NewSystem(os.Environ(), nil), Dir: dir, View: &reader{}, Confirm: func(context.Context, string) error { return nil }})
			require.NoError(b, err)
			p, err := t.Plan(b.Context(), bump.Request{To: "auto", NoChangelog: true}, "")
			require.NoError(b, err)
			require.Equal(b, "0.2.0", p.Packages[0].New)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys>>20), "MB")
		}
	})
}
