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

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/ptytest"
)

// shownFrom is what stands on a screen from the last row on that begins with a text.
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

// A question stands on a line of its own, and nothing is written over it. A no is an answer: it is not called an error, and its exit status is 3. A
// Ctrl-C is 130, and neither is a step with its time.
func TestAQuestionIsOnlyAQuestion(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.env = command.Unset(r.env, "CI")
	notReleased := []string{"not released: you said no; nothing was changed"}
	r.asks(map[string]question{
		"release, no":     {[]string{"release", "-to=patch"}, "Release v0.1.7? [y/N] ", "n\n", "n", 3, notReleased},
		"release, return": {[]string{"release", "-to=patch"}, "Release v0.1.7? [y/N] ", "\n", "", 3, notReleased},
		"release, Ctrl-D": {[]string{"release", "-to=patch"}, "Release v0.1.7? [y/N] ", "\x04", "", 3, notReleased},
		"release, Ctrl-C": {[]string{"release", "-to=patch"}, "Release v0.1.7? [y/N] ", "\x03", "^C", 130, interrupted},
		"bump, no":        {[]string{"version:bump", "-to=patch"}, "Carry it out? [y/N] ", "no\n", "no", 3, no},
		"bump, Ctrl-C":    {[]string{"version:bump", "-to=patch"}, "Carry it out? [y/N] ", "\x03", "^C", 130, interrupted},
	})
	require.Empty(t, git(t, r.dir, "status", "--porcelain"))
	r.refuseUploads("mono-core")
	r.refused(1, "", "release", "-to=patch", "-yes")
	r.asks(map[string]question{
		"undo, no":     {[]string{"undo"}, "Take v0.1.7 back? [y/N] ", "n\n", "n", 3, no},
		"undo, Ctrl-C": {[]string{"undo"}, "Take v0.1.7 back? [y/N] ", "\x03", "^C", 130, interrupted},
	})
	require.Equal(t, "v0.1.7", git(t, r.dir, "tag", "--list", "v0.1.7"))
	r.asks(map[string]question{
		"going on, no":     {[]string{"release"}, "Go on with v0.1.7? [y/N] ", "n\n", "n", 3, notReleased},
		"going on, Ctrl-C": {[]string{"release"}, "Go on with v0.1.7? [y/N] ", "\x03", "^C", 130, []string{"Error: stopped by a signal (interrupt), at a safe point", "→ `mage release` goes on from here"}},
	})
}

// Whoever goes on with a release is shown what is left of it, and whether it can be taken back, in place of what was agreed to. It fits the
// terminal, and a Ctrl-C, a no and another width in between change nothing.
func TestGoingOnShowsWhatIsLeft(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.env = command.Unset(r.env, "CI")
	r.refuseUploads("mono-p0002")
	r.refused(1, "", "release", "-to=patch", "-yes")
	commit := git(t, r.dir, "rev-parse", "--short=12", "v0.1.7^{commit}")
	for _, wide := range []int{80, 40} {
		x, _ := r.start("release")
		terminal := ptytest.StartAt(t, wide, x)
		terminal.Expect("Go on with v0.1.7? [y/N] ")
		terminal.Resize(200 - wide)
		terminal.Type("n\n")
		said, code := terminal.End()
		require.Equal(t, 3, code, said)
		require.NotContains(t, said, "pixi.toml")
		var want []string
		for _, line := range []string{
			"v0.1.7 (commit " + commit + ") is begun, and goes on",
			"Done: bump and commit, check, build, import, tag, push",
			"To do: publish (1 of 3 files), visible, verify, GitHub release",
			"2 of 3 files are on " + regexp.MustCompile(`http://[\d.:]+/mono`).FindString(said) + ": it cannot be taken back any more",
		} {
			want = append(want, strings.Split(columns.Wrap(line, wide, 2), "\n")...)
		}
		rows := shownFrom(t, terminal.Screen(), "v0.1.7 (commit")
		require.Equal(t, want, rows[:len(want)])
	}
	r.refuseUploads("")
	require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
}

// no is what is said to a no where nothing was begun.
var no = []string{"not done: you said no; nothing was changed"}

// publish asks in the same way, once everything is built and before anything is sent.
func TestPublishAsksAtATerminal(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	environ := command.Unset(r.env, "CI")
	asked := "Upload 3 artifacts to " + r.world.Prefix.URL + "/mono? [y/N] "
	asks(t, 0, map[string]question{
		"publish, no":     {[]string{"publish"}, asked, "n\n", "n", 3, no},
		"publish, Ctrl-C": {[]string{"publish"}, asked, "\x03", "^C", 130, interrupted},
	}, func(args ...string) *exec.Cmd {
		x := exec.Command(filepath.Join(compiled, "targets"), args...)
		x.Dir, x.Env = r.dir, environ
		return x
	})
	require.Empty(t, r.onChannel())
}

// The targets that push an image ask before it is built.
func TestImagesAreAskedFor(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "imaged")
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/repos/imaged")))
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-qm", "feat: first")
	environ := command.Setenv(command.Unset(os.Environ(), "CI"), "IMAGE_REGISTRY=127.0.0.1:1/me", "BUILDKIT_SBOM_GENERATOR=off", "GIT_CONFIG_GLOBAL="+os.DevNull)
	asked := "Build and push 127.0.0.1:1/me/tool-image? [y/N] "
	asks(t, 0, map[string]question{
		"image, no":     {[]string{"docker:image", "tool-app", "-push", "-tag=try"}, asked, "n\n", "n", 3, no},
		"image, Ctrl-C": {[]string{"docker:image", "tool-app", "-push", "-tag=try"}, asked, "\x03", "^C", 130, interrupted},
		"all, no":       {[]string{"docker:all", "-push", "-tag=try"}, asked, "n\n", "n", 3, no},
		"all, Ctrl-C":   {[]string{"docker:all", "-push", "-tag=try"}, asked, "\x03", "^C", 130, interrupted},
	}, func(args ...string) *exec.Cmd {
		x := exec.Command(filepath.Join(compiled, "targets"), args...)
		x.Dir, x.Env = dir, environ
		return x
	})
}

// interrupted is what is said where nothing can have been done yet.
var interrupted = []string{"Error: stopped by a signal (interrupt)", "→ nothing is left half-way; run it again when you like"}

// question is one that a target puts, and what comes of an answer.
type question struct {
	args  []string
	asked string
	keys  string // that answer it
	shown string // of the keys
	code  int
	says  []string // behind it, as it is on a terminal that is wide enough
}

// asks has each question put on terminals of 80 and 40 columns, and wants the screen to end with it, its answer and what is said to that.
func (r *releasing) asks(questions map[string]question) {
	r.t.Helper()
	asks(r.t, 1500*time.Millisecond, questions, func(args ...string) *exec.Cmd {
		x, _ := r.start(args...)
		return x
	})
}

// asks answers after a while, in which whatever announces a step would, if that is long enough.
func asks(t testing.TB, after time.Duration, questions map[string]question, start func(args ...string) *exec.Cmd) {
	t.Helper()
	for _, wide := range []int{80, 40} {
		for name, q := range questions {
			terminal := ptytest.StartAt(t, wide, start(q.args...))
			terminal.Expect("[y/N] ")
			time.Sleep(after)
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
