package embedded

import (
	"bytes"
	"regexp"
	"runtime"
	"strings"
)

// writePythonShebang returns the first line or lines of a Python script, in the same form as rattler (PythonInfo::shebang). The kernel reads the
// path only up to the first blank, and only 127 characters of the line. If the path does not fit, a shell command starts the interpreter, and
// Python parses the rest of that command as a string.
func writePythonShebang(python string) string {
	if len("#!"+python) <= 127 && !strings.ContainsAny(python, " \t") {
		return "#!" + python
	}
	return execShebang(python, "")
}

// execShebang returns a shebang that starts Python through a shell. `options` are those of the original shebang.
func execShebang(python, options string) string {
	quote := `"`
	if strings.ContainsAny(python, "$`\"\\") && !strings.Contains(python, "'") { // a shell would expand these
		quote = "'"
	}
	return "#!/bin/sh\n'''exec' " + quote + python + quote + options + ` "$0" "$@" #'''`
}

var (
	shebangParts = regexp.MustCompile(`^#! *(/(?:\\ |[^ \n\r\t])*)(.*)$`)
	pythonName   = regexp.MustCompile(`^python(?:\d+(?:\.\d+)?)?$`)
)

// longestShebang returns the number of characters in a shebang that the kernel reads.
func longestShebang() int {
	if runtime.GOOS == "darwin" {
		return 512
	}
	return 127
}

// move replaces the prefix `old` in a file. It keeps the shebang readable for the kernel, as rattler does (copy_and_replace_textual_placeholder).
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

// shorten rewrites a shebang that would be too long with the new prefix. The result starts Python through a shell, or another program through
// env, which searches PATH.
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
