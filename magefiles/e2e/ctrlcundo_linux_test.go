package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/ptytest"
)

// gitHolder stops the clone's git in one of its commands.
type gitHolder struct{ dir string }

// holdGit puts a program in front of git on the clone's PATH, which calls git.
func (r *releasing) holdGit() *gitHolder {
	h := &gitHolder{dir: r.t.TempDir()}
	real, err := exec.LookPath("git")
	require.NoError(r.t, err)
	hook(r.t, h.dir, "git", `cd_=`+h.dir+`
if read -r when what 2>/dev/null <$cd_/hold; then
	case " $* " in *" $what "*)
		rm $cd_/hold
		status=0
		[ "$when" = before ] || { `+real+` "$@"; status=$?; }
		touch $cd_/held
		while [ -e $cd_/held ]; do sleep 0.05; done
		[ "$when" = before ] || exit $status
	esac
fi
exec `+real+` "$@"`)
	path, _ := command.Getenv(r.env, "PATH")
	r.env = command.Setenv(r.env, "PATH="+h.dir+":"+path)
	return h
}

// hold makes git wait before or after its next command that contains the given arguments.
func (h *gitHolder) hold(t *testing.T, when, what string) {
	t.Helper()
	write(t, h.dir, "hold", when+" "+what+"\n")
}

// await waits until git waits.
func (h *gitHolder) await(t *testing.T) {
	t.Helper()
	waitFor(t, "git", func() bool { return fileExists(filepath.Join(h.dir, "held")) })
}

// release lets git continue.
func (h *gitHolder) release() { _ = os.Remove(filepath.Join(h.dir, "held")) }

// hang makes the embedded servers delay their answers to requests for a path until the client disconnects. It returns a channel that receives these
// requests.
func (r *releasing) hang(method, path string) <-chan string {
	asked := make(chan string, 100)
	hangs := func(q *http.Request) bool {
		if q.Method != method || !strings.Contains(q.URL.Path, path) {
			return false
		}
		asked <- q.URL.Path
		<-q.Context().Done()
		return true
	}
	r.gate.refuses.Store(&hangs)
	return asked
}

// Error and next step of an undo that was interrupted after its question.
var undoInterrupted = []string{"Error: stopped by a signal (interrupt), at a safe point", "→ `mage undo` continues from here"}

// An undo is interrupted by Ctrl-C before and after each git command that changes something. Each undo continues the one before, and the last one
// completes it.
func TestCtrlCInEachStepOfAnUndo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stop  func(r *releasing)
		steps []string
		end   string // way of the undo, for undone
		says  string
	}{
		"pushed": {
			stop: func(r *releasing) {
				r.refuseUploads("mono-core")
				r.refused(1, "", "release", "-to=patch", "-yes")
			},
			steps: []string{"revert --no-edit", "push --porcelain", "tag --delete"},
			end:   "pushed, and reverted",
			says:  "reverted the commit ",
		},
		"only in the clone": {
			stop:  func(r *releasing) { r.stopped("tag") },
			steps: []string{"read-tree -m -u --no-recurse-submodules HEAD", "reset --quiet --soft", "tag --delete"},
			end:   "local",
			says:  "nothing of v0.1.7 is left to undo\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			r.env = command.Unset(r.env, "CI")
			c.stop(r)
			h := r.holdGit()
			for i, step := range c.steps {
				for j, when := range []string{"before", "after"} {
					wide := []int{80, 40}[(i+j)%2]
					x, _ := r.start("undo")
					terminal := ptytest.StartAt(t, wide, x)
					terminal.Expect("Undo v0.1.7? [y/N] ")
					require.NotContains(t, terminal.Said(), "other changes", "the undo made these changes")
					h.hold(t, when, step)
					terminal.Type("y\n")
					h.await(t)
					stoppedBy(t, terminal, wide, undoInterrupted...)
					h.release()
					require.Contains(t, r.ok("status"), "v0.1.7 is unfinished since ")
				}
			}
			require.Contains(t, r.ok("undo", "-yes"), c.says)
			r.undone(c.end)
			require.Empty(t, git(t, r.dir, "status", "--porcelain"))
			require.Empty(t, git(t, r.dir, "tag", "--list", "v0.1.7"))
			locks, err := filepath.Glob(filepath.Join(r.dir, ".git", "*.lock"))
			require.NoError(t, err)
			require.Empty(t, locks)
		})
	}
}

// An undo is interrupted by Ctrl-C while it waits for the channel and for GitHub, before its question and after the answer.
func TestCtrlCDuringQueriesOfAnUndo(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: configured("land = \"pull-request\"\n")})
	r.env = command.Unset(r.env, "CI")
	hub := r.team(server.Rules{})
	r.ok("release", "-pr", "-to=patch", "-yes")
	p := r.proposed(hub, "success")
	require.NoError(t, hub.MergePull(t.Context(), p.Number, "squash", ""))
	git(t, r.dir, "pull", "-q")
	r.refuseUploads("mono-core")
	r.refused(1, "", "release", "-yes")
	in("pixi.toml", `publish = "here"`, `publish = "ci"`)(t, r.dir) // undo then marks the pull request
	start := func(wide int) *ptytest.Terminal {
		x, _ := r.start("undo")
		return ptytest.StartAt(t, wide, x)
	}
	before := r.refs()
	for i, path := range []string{"/mono/", "/pulls"} {
		wide := []int{80, 40}[i%2]
		asked := r.hang(http.MethodGet, path)
		terminal := start(wide)
		<-asked
		stoppedBy(t, terminal, wide, interrupted...)
	}
	r.refuseUploads("")
	terminal := start(80)
	terminal.Expect("Undo v0.1.7? [y/N] ")
	asked := r.hang(http.MethodGet, "/pulls")
	terminal.Type("y\n")
	<-asked
	stoppedBy(t, terminal, 80, interrupted...)

	r.refuseUploads("")
	terminal = start(40)
	terminal.Expect("[y/N] ")
	asked = r.hang(http.MethodPatch, "/pulls/")
	terminal.Type("y\n")
	<-asked
	stoppedBy(t, terminal, 40, undoInterrupted...)
	require.Equal(t, before, r.refs())

	r.refuseUploads("")
	require.Contains(t, r.ok("undo", "-yes"), "marked "+p.URL+" as undone")
	require.Contains(t, r.ok("status"), "v0.1.7: undone: its tags are gone, and main still has its versions")
}
