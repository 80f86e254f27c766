package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// moment is the time at which a push is killed: when a request arrives at the registry, or when a process of the push is running.
type moment struct {
	name         string
	method, path string // of the request
	argument     string // an argument of the process
}

// killed kills a push at each important moment. The next push resumes where the killed one stopped. No tag moves until every check has passed. Tags
// move in order, each to an image that has passed the checks.
func (w *imaging) killed(t *testing.T) {
	w.note("fix: killed")
	before := w.tags()
	ladder := w.smallTags()
	for n, m := range []moment{
		{name: "the registry is asked whether we may push", method: http.MethodPost, path: "/blobs/uploads/"},
		{name: "BuildKit pushes the index", method: http.MethodPut, path: "/manifests/sha256:"},
		{name: "the image is checked", argument: "--output=type=cacheonly"},
		{name: "the first tag moves", method: http.MethodPut, path: "/manifests/sha-"},
		{name: "the third tag moves", method: http.MethodPut, path: "/manifests/1.2/"},
	} {
		w.killedWhen(t, m)
		after := w.tags()
		moved := 0
		for moved < len(ladder) && after[ladder[moved]] != before[ladder[moved]] {
			moved++
		}
		for _, tag := range ladder[moved:] {
			require.Equal(t, before[tag], after[tag], "%s: %s moved before one that comes first", m.name, tag)
		}
		require.LessOrEqual(t, moved, []int{0, 0, 0, 1, 3}[n], m.name)
	}
	r := w.result("docker:image", "small", "-push", "-yes")
	require.Contains(t, moved(r), "latest")
	for _, tag := range ladder {
		require.Equal(t, r.Digest, w.tags()[tag], tag)
	}
}

// killedWhen starts a push and kills its whole process group at the given moment.
func (w *imaging) killedWhen(t *testing.T, m moment) {
	t.Helper()
	mark := newMark()
	x := exec.Command(filepath.Join(compiled, "targets"), "docker:image", "small", "-push", "-yes")
	x.Dir, x.Env, x.SysProcAttr = w.root, append(slices.Clone(w.env), mark), &syscall.SysProcAttr{Setpgid: true}
	var said strings.Builder
	x.Stdout, x.Stderr = &said, &said
	arrived, dead := make(chan bool), make(chan bool)
	var once sync.Once
	w.Fail(func(_ http.ResponseWriter, r *http.Request) bool {
		if m.path != "" && r.Method == m.method && strings.Contains(r.URL.Path+"/", m.path) {
			once.Do(func() { close(arrived) })
			<-dead // the registry does not notice the kill, so its response is delayed until after it
		}
		return false
	})
	defer w.Fail(nil)
	defer close(dead)
	require.NoError(t, x.Start())
	ended := make(chan error, 1)
	go func() { ended <- x.Wait() }()
	waitFor(t, m.name, func() bool {
		select {
		case <-arrived:
			return true
		default:
			return len(ended) > 0 || m.argument != "" && runs(t, mark, m.argument)
		}
	})
	require.Empty(t, ended, "it ended before %s: %s", m.name, &said)
	require.NoError(t, syscall.Kill(-x.Process.Pid, syscall.SIGKILL))
	require.ErrorContains(t, <-ended, "killed", m.name)
	waitFor(t, "what it had started to end", func() bool { return len(marked(t, mark)) == 0 })
}

// `runs` reports whether a process with the mark has the argument.
func runs(t *testing.T, mark, argument string) bool {
	return slices.ContainsFunc(marked(t, mark), func(pid int) bool {
		args, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		return err == nil && slices.Contains(strings.Split(string(args), "\x00"), argument)
	})
}
