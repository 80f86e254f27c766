package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// `peers` is the path of a folder with competing tools, each in its own virtual environment:
//
//	for t in tbump bump-my-version; do python3 -m venv peers/v-$t && peers/v-$t/bin/pip install -q $t; done
//	go test ./magefiles/e2e -run '^$' -bench Bump -benchtime 5x -timeout 1h -args -peers=$PWD/peers
var peers = flag.String("peers", "", "a folder with v-tbump and v-bump-my-version, to be compared with")

// rival is a tool that bumps all packages, commits and tags. The other tools need a configuration that lists the files; ours needs only the
// manifests.
type rival struct {
	name   string
	argv   []string
	config map[string]string
}

func rivals() []rival {
	bin := func(tool string) string { return filepath.Join(*peers, "v-"+tool, "bin", tool) }
	files := []string{"packages/*/pyproject.toml", "packages/*/pixi.toml", "packages/*/src/*/__init__.py"}
	tbump := "[version]\ncurrent = \"0.1.6\"\nregex = '''(?P<major>\\d+)\\.(?P<minor>\\d+)\\.(?P<patch>\\d+)'''\n" +
		"[git]\nmessage_template = \"release: v{new_version}\"\ntag_template = \"v{new_version}\"\n"
	bmv := "[tool.bumpversion]\ncurrent_version = \"0.1.6\"\ncommit = true\ntag = true\ntag_name = \"v{new_version}\"\nmessage = \"release: v{new_version}\"\n"
	for _, f := range files {
		tbump += fmt.Sprintf("[[file]]\nsrc = %q\n", f)
		bmv += fmt.Sprintf("[[tool.bumpversion.files]]\nglob = %q\n", f)
	}
	return []rival{
		{"ours", []string{filepath.Join(compiled, "targets"), "version:bump", "-to=patch", "-commit", "-tag", "-yes"}, nil},
		{"sed", []string{"bash", "-c", `git ls-files -z | xargs -0 sed -i 's/0\.1\.6/0.1.7/' && git commit -qam 'release: v0.1.7' && git tag v0.1.7`}, nil},
		{"tbump", []string{bin("tbump"), "--non-interactive", "--no-push", "0.1.7"}, map[string]string{"tbump.toml": tbump}},
		{"bump-my-version", []string{bin("bump-my-version"), "bump", "patch"}, map[string]string{".bumpversion.toml": bmv}},
	}
}

// BenchmarkBump times one bump of n packages, including the commit and the tag. It runs our compiled magefile and the other tools, each time on a
// fresh copy. ns/op is wall time. user-s and sys-s are the lowest CPU times of all runs, including child processes.
func BenchmarkBump(b *testing.B) {
	for _, n := range []int{3, 100, 1000} {
		for _, r := range rivals() {
			b.Run(fmt.Sprintf("%d/%s", n, r.name), func(b *testing.B) {
				if _, err := exec.LookPath(r.argv[0]); err != nil {
					b.Skipf("%s is not there: see -peers", r.name)
				}
				source := monorepo(b, n)
				for name, text := range r.config {
					require.NoError(b, os.WriteFile(filepath.Join(source, name), []byte(text), 0o644))
					git(b, source, "add", "-A")
					git(b, source, "commit", "-q", "-m", "chore: configure")
				}
				race(b, r, source)
			})
		}
	}
}

func race(b *testing.B, r rival, source string) {
	var wall, user, sys time.Duration
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		dir := filepath.Join(b.TempDir(), fmt.Sprint(i))
		require.NoError(b, exec.Command("cp", "-a", source, dir).Run())
		git(b, dir, "status", "--porcelain") // refreshes the index of the copy
		cmd := exec.Command(r.argv[0], r.argv[1:]...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "NO_COLOR=1", "CI=1")
		b.StartTimer()
		start := time.Now()
		out, err := cmd.CombinedOutput()
		took := time.Since(start)
		b.StopTimer()
		require.NoError(b, err, "%s", out)
		require.NotEmpty(b, git(b, dir, "rev-parse", "v0.1.7^{commit}"))
		if i == 0 || cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime() < user+sys {
			user, sys = cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime()
		}
		if i == 0 || took < wall {
			wall = took
		}
		require.NoError(b, os.RemoveAll(dir))
		b.StartTimer()
	}
	b.ReportMetric(wall.Seconds(), "min-s")
	b.ReportMetric(user.Seconds(), "user-s")
	b.ReportMetric(sys.Seconds(), "sys-s")
}
