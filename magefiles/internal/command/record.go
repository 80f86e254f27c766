package command

import (
	"encoding/json"
	"os"
	"path"
	"runtime"
	"strings"
)

// RecordTo is the file to which the command lines of all children are appended, for tests that check them. It is "" in released programs. Only the
// linker (-X) or a test can set it.
var RecordTo string

// Recorded is a command line. The file has one per line, as JSON.
type Recorded struct {
	Name string   `json:"name"`
	Args []string `json:"args"`
}

// Record appends a command line to RecordTo, if that is set. System calls it for each child.
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
		return // the folder of records is gone: the tests are over
	}
	defer f.Close()
	_, _ = f.Write(append(line, '\n'))
}

// ofTest reports whether a test, or a package for tests, runs the child itself.
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
			// these functions only pass a command to the runner
		default:
			return strings.HasSuffix(of, "test")
		}
		if !more {
			return false
		}
	}
}
