package embedded

import (
	"bytes"
	"regexp"
	"runtime"
	"strings"
)

// writePythonShebang writes the first line, or lines, of a script that a Python runs, as rattler writes it (PythonInfo::shebang). The kernel takes
// a path up to its first blank, and 127 characters of the line: beyond that a shell starts the interpreter, for which the rest of
// its one command is a text of Python's.
func writePythonShebang(python string) string {
	if len("#!"+python) <= 127 && !strings.ContainsAny(python, " \t") {
		return "#!" + python
	}
	return execShebang(python, "")
}

// execShebang has a shell run a Python. Options are those of the shebang that it is in place of.
func execShebang(python, options string) string {
	quote := `"`
	if strings.ContainsAny(python, "$`\"\\") && !strings.Contains(python, "'") { // a shell would read on in it
		quote = "'"
	}
	return "#!/bin/sh\n'''exec' " + quote + python + quote + options + ` "$0" "$@" #'''`
}

var (
	shebangParts = regexp.MustCompile(`^#! *(/(?:\\ |[^ \n\r\t])*)(.*)$`)
	pythonName   = regexp.MustCompile(`^python(?:\d+(?:\.\d+)?)?$`)
)

// longestShebang is what the kernel reads of a first line.
func longestShebang() int {
	if runtime.GOOS == "darwin" {
		return 512
	}
	return 127
}

// move rewrites a file that was made for the prefix old, for another one. Its shebang stays one that the kernel can read, as rattler does it
// (copy_and_replace_textual_placeholder).
func move(data []byte, old, prefix string) []byte {
	if !bytes.HasPrefix(data, []byte("#!")) {
		return bytes.ReplaceAll(data, []byte(old), []byte(prefix))
	}
	line, rest := data, []byte(nil)
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		line, rest = data[:end], data[end:]
	}
	shebang := string(line)
	if strings.Contains(shebang, old) {
		longer := strings.ReplaceAll(shebang, old, prefix)
		if strings.ContainsAny(prefix, " \t") || len(longer) > longestShebang() {
			longer = shorten(shebang, old, prefix)
		}
		shebang = longer
	}
	return append([]byte(shebang), bytes.ReplaceAll(rest, []byte(old), []byte(prefix))...)
}

// shorten rewrites a shebang that the kernel could not read then: it starts a shell that runs a Python, or else env, which looks
// for the program on PATH.
func shorten(shebang, old, prefix string) string {
	m := shebangParts.FindStringSubmatch(shebang)
	if m == nil {
		return strings.ReplaceAll(shebang, old, prefix)
	}
	program, options := m[1][strings.LastIndexByte(m[1], '/')+1:], strings.ReplaceAll(m[2], old, prefix)
	if pythonName.MatchString(program) {
		return execShebang(strings.ReplaceAll(m[1], old, prefix), strings.TrimRight(options, "\r"))
	}
	return "#!/usr/bin/env " + program + options
}
