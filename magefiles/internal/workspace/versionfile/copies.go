package versionfile

import (
	"bytes"
	"regexp"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Files from which other tools read a version, which is a copy of the package's version.
const (
	MesonFile    = "meson.build"
	CitationFile = "CITATION.cff"
	CargoFile    = "Cargo.toml"
	CargoLock    = "Cargo.lock"
	UVLock       = "uv.lock"
)

var (
	mesonProject  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^[ \t]*project[ \t]*\(`) })
	mesonVersion  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\bversion\s*:\s*'([^'\\\n]*)'`) })
	citationValue = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^version:[ \t]*(?:"v?([^"\\\n]*)"|'v?([^'\n]*)'|v?([^"'\s#&*!|>{\[][^\s#]*))[ \t]*(?:#.*)?\r?$`)
	})
)

// ReadMeson finds the version in the project() call of a meson.build, if it is a string literal.
func ReadMeson(file string, src []byte) (manifest.Version, bool) {
	begin := mesonProject().FindIndex(src)
	if begin == nil {
		return manifest.Version{}, false
	}
	call := src[begin[1]:]
	call = call[:callLength(call)]
	for _, m := range mesonVersion().FindAllSubmatchIndex(call, -1) {
		if !inComment(call, m[0]) {
			return textVersion(file, src, begin[1]+m[2], begin[1]+m[3], manifest.VersionCopy, MesonFile), true
		}
	}
	return manifest.Version{}, false
}

// callLength returns the length of a call's arguments, including the closing parenthesis.
func callLength(src []byte) int {
	depth := 1
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '#':
			i += lineLength(src[i:])
		case '\'':
			i += stringLength(src[i:]) - 1
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(src)
}

// inComment reports whether there is a # before the offset on the same line.
func inComment(src []byte, at int) bool {
	return bytes.IndexByte(src[bytes.LastIndexByte(src[:at], '\n')+1:at], '#') >= 0
}

// ReadCitation finds the version in a CITATION.cff.
func ReadCitation(file string, src []byte) (manifest.Version, bool) {
	all := citationValue().FindAllSubmatchIndex(src, 2)
	if len(all) != 1 {
		return manifest.Version{}, false
	}
	m := all[0]
	return textVersion(file, src, max(m[2], m[4], m[6]), max(m[3], m[5], m[7]), manifest.VersionCopy, CitationFile), true
}

// Locked is the version that a lock file has for a local package.
type Locked struct {
	Name    string // name as written
	Version manifest.Version
}

var (
	lockField = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(name|version|source) = (.*?)\r?\n?$`) })
	lockPin   = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\{ name = "([^"]+)",[^{}]*\bspecifier = "={2,3}([^"*,]+)"`)
	})
)

// ReadLock finds the versions of local packages in a uv.lock or Cargo.lock, and the exact pins that uv records for their requirements.
// Both files are generated and always have the same layout.
func ReadLock(file string, src []byte) (all []Locked) {
	cargo := strings.HasSuffix(file, CargoLock)
	add := func(name string, start, end int) {
		v := textVersion(file, src, start, end, manifest.VersionCopy, file)
		v.Cargo = cargo
		all = append(all, Locked{Name: name, Version: v})
	}
	at := 0
	var name, source string
	var begin, end int
	var pins []Locked
	flush := func() {
		local := source == "" && cargo || strings.Contains(source, "editable =") || strings.Contains(source, "virtual =") || strings.Contains(source, "directory =")
		if local && name != "" && end > begin {
			add(name, begin, end)
			all = append(all, pins...)
		}
		name, source, begin, end, pins = "", "", 0, 0, nil
	}
	inPackage := false
	for line := range bytes.Lines(src) {
		switch {
		case bytes.HasPrefix(line, []byte("[[package]]")):
			flush()
			inPackage = true
		case line[0] == '[' && !bytes.HasPrefix(line, []byte("[package.")):
			flush()
			inPackage = false
		case !inPackage:
		case line[0] == 'n' || line[0] == 'v' || line[0] == 's':
			m := lockField().FindSubmatchIndex(line)
			if m == nil {
				break
			}
			value := string(line[m[4]:m[5]])
			switch text := strings.Trim(value, `"`); string(line[m[2]:m[3]]) {
			case "name":
				name = text
			case "version":
				if len(value) == len(text)+2 {
					begin, end = at+m[4]+1, at+m[5]-1
				}
			case "source":
				source = value
			}
		case !cargo && bytes.Contains(line, []byte(`specifier = "==`)):
			for _, m := range lockPin().FindAllSubmatchIndex(line, -1) {
				pins = append(pins, Locked{
					Name:    string(line[m[2]:m[3]]),
					Version: textVersion(file, src, at+m[4], at+m[5], manifest.VersionCopy, file),
				})
			}
		}
		at += len(line)
	}
	flush()
	return all
}
