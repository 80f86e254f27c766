package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/ptytest"
)

// shownFrom returns the last rows of a screen, starting with the last row that has the given prefix.
func shownFrom(t testing.TB, rows []string, begins string) []string {
	t.Helper()
	for i := len(rows) - 1; i >= 0; i-- {
		if strings.HasPrefix(rows[i], begins) {
			return rows[i:]
		}
	}
	require.Fail(t, "no row begins with "+begins, "%s", strings.Join(rows, "\n"))
	return nil
}

// A question has its own line, and no output overwrites it. The answer "no" is not reported as an error and gives exit status 3. Ctrl-C gives exit
// status 130. Neither is shown as a step with a duration.
func TestQuestionHasItsOwnLine(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.env = command.Unset(r.env, "CI")
	notReleased := []string{"not released: you said no; nothing was changed"}
	r.asks(announced, map[string]question{
		"release, no":     {[]string{"release", "-to=patch"}, "Release v0.1.7? [y/N] ", "n\n", "n", 3, notReleased},
		"release, Ctrl-C": {[]string{"release", "-to=patch"}, "Release v0.1.7? [y/N] ", "\x03", "^C", 130, interrupted},
	})
	r.asks(0, map[string]question{
		"release, return": {[]string{"release", "-to=patch"}, "Release v0.1.7? [y/N] ", "\n", "", 3, notReleased},
		"release, Ctrl-D": {[]string{"release", "-to=patch"}, "Release v0.1.7? [y/N] ", "\x04", "", 3, notReleased},
		"bump, no":        {[]string{"version:bump", "-to=patch"}, "Carry it out? [y/N] ", "no\n", "no", 3, no},
		"bump, Ctrl-C":    {[]string{"version:bump", "-to=patch"}, "Carry it out? [y/N] ", "\x03", "^C", 130, interrupted},
		"upgrade, no":     {[]string{"app:upgrade", "-to=0.2.0"}, "Carry it out? [y/N] ", "n\n", "n", 3, no},
		"upgrade, Ctrl-C": {[]string{"app:upgrade", "-to=0.2.0"}, "Carry it out? [y/N] ", "\x03", "^C", 130, interrupted},
		"propose, no":     {[]string{"release", "-pr", "-to=patch"}, "Propose v0.1.7 to main in a pull request? [y/N] ", "n\n", "n", 3, []string{"not proposed: you said no; nothing was changed"}},
		"propose, Ctrl-C": {[]string{"release", "-pr", "-to=patch"}, "Propose v0.1.7 to main in a pull request? [y/N] ", "\x03", "^C", 130, interrupted},
	})
	require.Empty(t, git(t, r.dir, "status", "--porcelain"))
	require.Contains(t, r.refused(2, "-to=2 has one number, but the current version 0.1.6 has 3", "release", "-to=2"), "→ pass -to=2.0.0\n")
	answered(t, 40, r.terminal("version:bump", "-to=patch"), "Carry it out? [y/N] ", 0, "changed, but not committed", "→ `git diff`, then `mage version:bump -commit`")
	r.asks(0, map[string]question{
		"a bump that is taken up, no":     {[]string{"version:bump", "-commit"}, "Carry it out? [y/N] ", "n\n", "n", 3, no},
		"a bump that is taken up, Ctrl-C": {[]string{"version:bump", "-commit"}, "Carry it out? [y/N] ", "\x03", "^C", 130, interrupted},
	})
	require.NotEmpty(t, git(t, r.dir, "status", "--porcelain"))
	git(t, r.dir, "checkout", "-q", ".")
	r.commit("test: check nothing", map[string]string{"pixi.toml": regexp.MustCompile(`(?s)\n\[tasks\]\n.*?(\n\[|$)`).ReplaceAllString(readFile(t, r.dir, "pixi.toml"), "$1")})
	r.asks(0, map[string]question{
		"unchecked, no":     {[]string{"release", "-to=patch"}, "Release v0.1.7 without checks? [y/N] ", "n\n", "n", 3, notReleased},
		"unchecked, Ctrl-C": {[]string{"release", "-to=patch"}, "Release v0.1.7 without checks? [y/N] ", "\x03", "^C", 130, interrupted},
	})
	git(t, r.dir, "reset", "-q", "--hard", "HEAD^")
	r.refuseUploads("mono-core")
	r.refused(1, "", "release", "-to=patch", "-yes")
	r.asks(0, map[string]question{
		"undo, no":     {[]string{"undo"}, "Undo v0.1.7? [y/N] ", "n\n", "n", 3, no},
		"undo, Ctrl-C": {[]string{"undo"}, "Undo v0.1.7? [y/N] ", "\x03", "^C", 130, interrupted},
	})
	require.Equal(t, "v0.1.7", git(t, r.dir, "tag", "--list", "v0.1.7"))
	r.asks(announced, map[string]question{
		"going on, no":     {[]string{"release"}, "Continue v0.1.7? [y/N] ", "n\n", "n", 3, notReleased},
		"going on, Ctrl-C": {[]string{"release"}, "Continue v0.1.7? [y/N] ", "\x03", "^C", 130, []string{"Error: stopped by a signal (interrupt), at a safe point", "→ `mage release` continues from here"}},
	})
	commit := git(t, r.dir, "rev-parse", "--short=12", "HEAD")
	rows := answered(t, 40, r.terminal("undo"), "Undo v0.1.7? [y/N] ", 0)
	require.Contains(t, strings.Join(rows, "\n"), columns.Wrap("  revert commit "+commit+", and push the revert", 40, 4)+"\n  remove tag v0.1.7 of this clone\n", "what goes is on the screen, above the question")
	r.undone("pushed, and reverted")
}

// terminal returns a command that runs a target in the clone at a terminal.
func (r *releasing) terminal(args ...string) *exec.Cmd {
	x, _ := r.start(args...)
	return x
}

// answered answers yes to a question, checks the exit status and the last lines on the screen, and returns the screen.
func answered(t testing.TB, wide int, x *exec.Cmd, asked string, code int, last ...string) []string {
	t.Helper()
	terminal := ptytest.StartAt(t, wide, x)
	terminal.Expect("[y/N] ")
	question := strings.Split(columns.Wrap(strings.TrimRight(asked, " "), wide, 2), "\n")
	require.Equal(t, question, shownFrom(t, terminal.Screen(), question[0]))
	terminal.Type("y\n")
	said, got := terminal.End()
	require.Equal(t, code, got, said)
	var want []string
	for _, line := range last {
		want = append(want, strings.Split(columns.Wrap(line, wide, 2), "\n")...)
	}
	rows := terminal.Screen()
	require.Equal(t, append(want, ""), rows[len(rows)-len(want)-1:])
	return rows
}

// A user who continues a release sees the remaining steps, and whether the release can be undone, instead of the plan that was agreed to. The text
// fits the terminal. Ctrl-C, the answer "no" and a change of the terminal's width do not affect the release.
func TestContinuedReleaseShowsRemainingSteps(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.env = command.Unset(r.env, "CI")
	r.refuseUploads("mono-p0002")
	r.refused(1, "", "release", "-to=patch", "-yes")
	commit := git(t, r.dir, "rev-parse", "--short=12", "v0.1.7^{commit}")
	for _, wide := range []int{80, 40} {
		x, _ := r.start("release")
		terminal := ptytest.StartAt(t, wide, x)
		terminal.Expect("Continue v0.1.7? [y/N] ")
		terminal.Resize(200 - wide)
		terminal.Type("n\n")
		said, code := terminal.End()
		require.Equal(t, 3, code, said)
		require.NotContains(t, said, "pixi.toml")
		var want []string
		for _, line := range []string{
			"Continuing v0.1.7 (commit " + commit + "), which is unfinished",
			"Done: bump and commit, check, build, import, tag, push",
			"To do: publish (1 of 3 files), visible, verify, GitHub release",
			"2 of 3 files are on " + regexp.MustCompile(`http://[\d.:]+/mono`).FindString(said) + ": the release cannot be undone any more",
		} {
			want = append(want, strings.Split(columns.Wrap(line, wide, 2), "\n")...)
		}
		rows := shownFrom(t, terminal.Screen(), "Continuing v0.1.7 (commit")
		require.Equal(t, want, rows[:len(want)])
	}
	r.asks(0, map[string]question{
		"give up, no":     {[]string{"undo"}, "Abandon v0.1.7? [y/N] ", "n\n", "n", 3, no},
		"give up, Ctrl-C": {[]string{"undo"}, "Abandon v0.1.7? [y/N] ", "\x03", "^C", 130, interrupted},
	})
	r.refuseUploads("")
	require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
}

// `no` has the lines that follow the answer "no" if nothing was started.
var no = []string{"not done: you said no; nothing was changed"}

// publish asks in the same way, after everything is built and before anything is uploaded.
func TestPublishAsksAtATerminal(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	environ := command.Unset(r.env, "CI")
	asked := "Upload 3 artifacts to " + r.world.Prefix.URL + "/mono? [y/N] "
	asks(t, 0, map[string]question{
		"publish, no":     {[]string{"publish"}, asked, "n\n", "n", 3, []string{"not uploaded: you said no; nothing was sent"}},
		"publish, Ctrl-C": {[]string{"publish"}, asked, "\x03", "^C", 130, interrupted},
	}, func(args ...string) *exec.Cmd {
		x := exec.Command(filepath.Join(compiled, "targets"), args...)
		x.Dir, x.Env = r.dir, environ
		return x
	})
	require.Empty(t, r.onChannel())
}

// Targets that push an image ask before building it, docker:merge asks before merging, and clean asks before removing packages that may be the only
// copies.
func TestTargetsThatPushImagesAsk(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "imaged")
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/repos/imaged")))
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-qm", "feat: first")
	environ := command.Setenv(command.Unset(os.Environ(), "CI"), "IMAGE_REGISTRY=127.0.0.1:1/me", "BUILDKIT_SBOM_GENERATOR=off", "GIT_CONFIG_GLOBAL="+os.DevNull)
	asked := "Build and push 127.0.0.1:1/me/tool-image? [y/N] "
	start := func(args ...string) *exec.Cmd {
		x := exec.Command(filepath.Join(compiled, "targets"), args...)
		x.Dir, x.Env = dir, environ
		return x
	}
	asks(t, 0, map[string]question{
		"image, no":     {[]string{"docker:image", "tool-app", "-push", "-tag=try"}, asked, "n\n", "n", 3, no},
		"image, Ctrl-C": {[]string{"docker:image", "tool-app", "-push", "-tag=try"}, asked, "\x03", "^C", 130, interrupted},
		"all, no":       {[]string{"docker:all", "-push", "-tag=try"}, asked, "n\n", "n", 3, no},
		"all, Ctrl-C":   {[]string{"docker:all", "-push", "-tag=try"}, asked, "\x03", "^C", 130, interrupted},
	}, start)

	server, err := localregistry.Start(t.TempDir(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	environ = command.Setenv(environ, "IMAGE_REGISTRY="+server.Host+"/m") // at most 40 columns
	merge := []string{"docker:merge", "tool-app", "-digests=sha256:" + strings.Repeat("a", 64) + ",sha256:" + strings.Repeat("b", 64), "-tag=try"}
	write(t, dir, "output/.gitignore", "*\n")
	published, err := store.Open(filepath.Join(dir, "output", folders.Channels))
	require.NoError(t, err)
	require.NoError(t, published.Close())
	write(t, dir, "output/channels/mono/noarch/a-1-0.conda", "12345678")
	remove := "Remove all of this, including 1 package (8 B) that was published to channels in output/channels? [y/N] "
	asked = "Merge 2 digests into " + server.Host + "/m/tool-image? [y/N] "
	asks(t, 0, map[string]question{
		"merge, no":     {merge, asked, "n\n", "n", 3, no},
		"merge, Ctrl-C": {merge, asked, "\x03", "^C", 130, interrupted},
		"clean, no":     {[]string{"clean"}, remove, "n\n", "n", 3, no},
		"clean, Ctrl-C": {[]string{"clean"}, remove, "\x03", "^C", 130, interrupted},
	}, start)
	require.FileExists(t, filepath.Join(dir, "output/channels/mono/noarch/a-1-0.conda"))
}

// Answering no to init, or interrupting it, changes nothing. The test that runs init in a clone calls this as atATerminal.
func init() {
	atATerminal = func(t *testing.T, p moduleProxy, dir string, files int) {
		asked := "Write " + operr.Count(files, "file") + "? [y/N] "
		asks(t, 0, map[string]question{
			"init, no":     {nil, asked, "n\n", "n", 3, no},
			"init, Ctrl-C": {nil, asked, "\x03", "^C", 130, interrupted},
		}, func(...string) *exec.Cmd {
			x := exec.Command(p.init, "-norehearse")
			x.Dir, x.Env = dir, command.Unset(p.env, "CI")
			return x
		})
		require.Empty(t, git(t, dir, "status", "--porcelain"))
	}
}

// `interrupted` has the lines that follow an interrupt if nothing can have been done yet.
var interrupted = []string{"Error: stopped by a signal (interrupt)", "→ run the command again: nothing was left half done"}

// question is a target's question and the expected result of an answer.
type question struct {
	args  []string
	asked string
	keys  string // keys that the test types
	shown string // what the terminal shows of the keys
	code  int
	says  []string // lines after the answer, on a wide terminal
}

// announced is the time after which a long step is announced. An announcement must not overwrite a question that is asked during the step.
const announced = 1500 * time.Millisecond

// `asks` runs each question on terminals with 80 and 40 columns. The screen must end with the question, its answer and the response.
func (r *releasing) asks(after time.Duration, questions map[string]question) {
	r.t.Helper()
	asks(r.t, after, questions, r.terminal)
}

// typed is the shortest time in which a user can answer. In the first moments of a target, Mage handles Ctrl-C itself, and the target ends 50 ms
// later.
const typed = 150 * time.Millisecond

// `asks` answers each question after a delay, which is at least `typed`. Callers pass `announced` for questions that are asked during a step.
func asks(t testing.TB, after time.Duration, questions map[string]question, start func(args ...string) *exec.Cmd) {
	t.Helper()
	for _, wide := range []int{80, 40} {
		for name, q := range questions {
			terminal := ptytest.StartAt(t, wide, start(q.args...))
			terminal.Expect("[y/N] ")
			time.Sleep(max(after, typed))
			terminal.Type(q.keys)
			said, code := terminal.End()
			require.Equal(t, q.code, code, "%s: %s", name, said)
			want := strings.Split(columns.Wrap(strings.TrimRight(q.asked, " "), wide, 2), "\n")
			first := want[0]
			want[len(want)-1] = strings.TrimRight(want[len(want)-1]+" "+q.shown, " ")
			for _, line := range q.says {
				want = append(want, strings.Split(columns.Wrap(line, wide, 2), "\n")...)
			}
			require.Equal(t, append(want, ""), shownFrom(t, terminal.Screen(), first), "%s, in %d columns", name, wide)
		}
	}
}
