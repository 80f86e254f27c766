package command

import (
	"encoding/json"
	"os"
	"path"
	"runtime"
	"strings"
)

// RecordTo is the file that command lines of all children are appended to, for the tests that look at every one of them: "" in a
// program that people run. The linker sets it (-X), or a test, and nothing that comes from outside does.
var RecordTo string

// Recorded is one command line: a line of JSON in the file.
type Recorded struct {
	Name string   `json:"name"`
	Args []string `json:"args"`
}

// Record appends a command line of ours, where they are recorded. System does so by itself.
func Record(c Cmd) {
	if RecordTo == "" || c.Theirs || ofTest() {
		return
	}
	line, err := json.Marshal(Recorded{Name: c.Name, Args: c.Args})
	if err != nil {
		return
	}
	f, err := os.OpenFile(RecordTo, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return // its folder is gone: the tests are over
	}
	defer f.Close()
	_, _ = f.Write(append(line, '\n'))
}

// ofTest reports whether a test, or a package that serves tests, runs the child itself.
func ofTest() bool {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		of, _, _ := strings.Cut(path.Base(f.Function), ".")
		switch {
		case strings.HasSuffix(f.File, "_test.go"):
			return true
		case of == "command" || of == "commandtest":
			// they pass it on
		default:
			return strings.HasSuffix(of, "test")
		}
		if !more {
			return false
		}
	}
}
