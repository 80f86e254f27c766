// Package transcripts contains recorded calls of pixi 0.77.0: the command line, the exit status, standard output and standard error. Colors are
// removed, and paths are replaced with <workspace>, <home>, <bin> and <elsewhere>.
package transcripts

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed *.txt
var files embed.FS

// Transcript is one recorded call.
type Transcript struct {
	Command        string
	Exit           int
	Stdout, Stderr string
}

// Read returns the transcript with the given name, such as "run-hello". It panics if the transcript does not exist or is invalid.
func Read(name string) Transcript {
	b, err := fs.ReadFile(files, name+".txt")
	if err != nil {
		panic(err)
	}
	head, rest, ok1 := strings.Cut(string(b), "\n--- stdout\n")
	stdout, stderr, ok2 := strings.Cut("\n"+rest, "\n--- stderr\n")
	i := strings.LastIndex(head, "\nexit: ")
	if !ok1 || !ok2 || i < 0 {
		panic(fmt.Sprintf("transcript %s is not of the known form", name))
	}
	exit, err := strconv.Atoi(head[i+len("\nexit: "):])
	if err != nil {
		panic(err)
	}
	stdout = strings.TrimPrefix(stdout, "\n")
	if stdout != "" {
		stdout += "\n"
	}
	return Transcript{Command: strings.TrimPrefix(head[:i], "$ "), Exit: exit, Stdout: stdout, Stderr: withoutOverride(stderr)}
}

// withoutOverride removes a line that appears only because of the recording setup.
func withoutOverride(stderr string) string {
	var kept []string
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, " WARN overriding build backend") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
