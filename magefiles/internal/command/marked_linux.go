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

// EndMarked kills all processes of this user that have one of these variables, given as KEY=VALUE, in their initial environment. It returns the names
// of their programs. It finds even processes that have left the group and session of the child that started them, but not one that was started with
// an empty environment.
func EndMarked(marks ...string) (ended []string) {
	seen := map[int]bool{}
	for range 1000 { // a killed process may have started another one, and takes a moment to end
		found := false
		all, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well-formed
		for _, file := range all {
			environ, err := os.ReadFile(file)
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			marked := slices.ContainsFunc(bytes.Split(environ, []byte{0}), func(kv []byte) bool { return slices.Contains(marks, string(kv)) })
			if err != nil || pid == os.Getpid() || !marked {
				continue // another user's process, one that has ended, or one without a mark
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
