package command

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// EndMarked ends, without a warning, all processes of this user that were started with one of some variables, given as KEY=VALUE, and returns the names
// of their programs. It finds those too that have left the group and the session of the child that began them. One that was started with an empty
// environment is not found.
func EndMarked(marks ...string) (ended []string) {
	seen := map[int]bool{}
	for range 1000 { // one that is ended may have begun another, and takes a moment to end
		found := false
		all, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well-formed
		for _, file := range all {
			environ, err := os.ReadFile(file)
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			marked := slices.ContainsFunc(bytes.Split(environ, []byte{0}), func(kv []byte) bool { return slices.Contains(marks, string(kv)) })
			if err != nil || pid == os.Getpid() || !marked {
				continue // it is another user's, has ended, or is none of them
			}
			name, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "comm"))
			if syscall.Kill(pid, syscall.SIGKILL) != nil {
				continue
			}
			if found = true; !seen[pid] {
				ended = append(ended, strings.TrimSpace(string(name)))
			}
			seen[pid] = true
		}
		if !found {
			return ended
		}
	}
	return ended
}
