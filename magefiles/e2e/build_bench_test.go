package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// `before` is the path of a magefile compiled from an earlier commit, for comparison:
//
//	git worktree add before COMMIT && (cd before && go tool mage -compile /tmp/before)
//	go test ./magefiles/e2e -run '^$' -bench BuildPackage -benchtime 7x -timeout 1h -args -before=/tmp/before
var before = flag.String("before", "", "a compiled magefile, to be compared with")

// BenchmarkBuildPackage times the build of one package after one edit. The repository has n additional files, in the package or elsewhere. Runs of
// the two magefiles alternate. ms and cpu-ms are medians for this commit's magefile, including child processes. more-ms is the difference from the
// median of -before.
func BenchmarkBuildPackage(b *testing.B) {
	for _, n := range []int{3, 3000, 30000} {
		for _, in := range []string{"docs", "packages/core/src/mono_core"} {
			b.Run(fmt.Sprintf("%d/%s", n, in), func(b *testing.B) {
				programs := []string{filepath.Join(compiled, "targets")}
				if *before != "" {
					programs = append(programs, *before)
				}
				var dirs []string
				for range programs {
					dirs = append(dirs, buildable(b, n, in))
				}
				wall, cpu := make([][]time.Duration, len(programs)), make([][]time.Duration, len(programs))
				for round := range b.N + 1 {
					for i, program := range programs {
						module := filepath.Join(dirs[i], "packages/core/src/mono_core/__init__.py")
						require.NoError(b, os.WriteFile(module, fmt.Appendf(nil, "__version__ = \"0.1.6\"\nround = %d\n", round), 0o644))
						x := exec.Command(program, "build:package", "mono-core")
						x.Dir, x.Env = dirs[i], command.Setenv(os.Environ(), "PIPELINE_TOOLCHAIN=embedded", "GIT_CONFIG_GLOBAL="+os.DevNull)
						start := time.Now()
						out, err := x.CombinedOutput()
						require.NoError(b, err, "%s", out)
						if round > 0 { // the first round warms the caches
							wall[i] = append(wall[i], time.Since(start))
							cpu[i] = append(cpu[i], x.ProcessState.UserTime()+x.ProcessState.SystemTime())
						}
					}
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(wall[0]), "ms")
				b.ReportMetric(median(cpu[0]), "cpu-ms")
				if *before != "" {
					b.ReportMetric(median(wall[0])-median(wall[1]), "more-ms")
					b.ReportMetric(median(cpu[0])-median(cpu[1]), "more-cpu-ms")
				}
			})
		}
	}
}

// buildable makes a monorepo that has a package that can be built and n additional files in a folder.
func buildable(b *testing.B, n int, in string) string {
	b.Helper()
	dir := monorepo(b, 1)
	for i := range n {
		file := filepath.Join(dir, in, fmt.Sprintf("m%d", i/100), fmt.Sprintf("f%d.py", i))
		require.NoError(b, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(b, os.WriteFile(file, fmt.Appendf(nil, "x = %d\n", i), 0o644))
	}
	git(b, dir, "add", "-A")
	git(b, dir, "commit", "-q", "-m", "chore: files")
	return dir
}

// median returns the median in milliseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Microseconds()) / 1000
}
