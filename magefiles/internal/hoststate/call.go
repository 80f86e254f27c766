package hoststate

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Script is the script that runs on hosts.
//
//go:embed script.sh
var Script string

// Exit statuses of the script.
const (
	noFlock    = 70
	busy       = 72
	held       = 73
	lost       = 74
	short      = 75
	stale      = 76
	noClient   = 77
	damaged    = 78
	notWritten = 79
)

// ErrNotWritten indicates that the host's disk is full or not writable.
var ErrNotWritten = errors.New("the host could not write its record: the old record is unchanged")

// section is one value that the script prints.
type section struct{ name, text string }

type sections []section

// one returns the text of the first section with the name, or "".
func (s sections) one(name string) string {
	for _, f := range s {
		if f.name == name {
			return f.text
		}
	}
	return ""
}

// `has` reports whether there is a section with the name.
func (s sections) has(name string) bool {
	for _, f := range s {
		if f.name == name {
			return true
		}
	}
	return false
}

// number returns a section's number, or 0 if it is not a number.
func (s sections) number(name string) int64 {
	n, err := strconv.ParseInt(s.one(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// read parses the output format of `section` in script.sh.
func read(out []byte) (found sections, whole bool) {
	for len(out) > 0 {
		head, rest, ok := bytes.Cut(out, []byte("\n"))
		name, count, named := strings.Cut(string(head), " ")
		size, err := strconv.Atoi(count)
		if !ok || !named || err != nil || size < 0 || size >= len(rest) || rest[size] != '\n' {
			return found, false
		}
		found = append(found, section{name: name, text: string(rest[:size])})
		out = rest[size+1:]
	}
	return found, true
}

// argv returns the command line for an operation.
func (s *State) argv(args []string) []string {
	dir := s.Dir
	if dir == "" {
		dir = Dir
	}
	return append([]string{"sh", "-c", Script, "sh", dir}, args...)
}

// call runs an operation, and returns the sections that it prints.
func (s *State) call(ctx context.Context, stdin []byte, args ...string) (sections, error) {
	out, status, err := s.Runner.Run(ctx, s.argv(args), stdin)
	if err != nil {
		return nil, err
	}
	if status != 0 && status != held && status != lost {
		return nil, failure(args[0], status, out)
	}
	found, whole := read(out)
	if !whole {
		return nil, operr.New("", "%s: the host's answer cannot be read: its end is missing", args[0]).WithDetail(last(out))
	}
	switch status {
	case held:
		return nil, lockHeldError(found)
	case lost:
		return nil, lockLostError(found)
	}
	return found, nil
}

// `last` returns the end of an output.
func last(out []byte) string {
	const enough = 2000
	text := strings.TrimSpace(string(out))
	return text[max(0, len(text)-enough):]
}

func failure(operation string, status int, out []byte) error {
	var e *operr.Error
	switch status {
	case noFlock:
		e = operr.New("set `proxy` to an image that has flock, such as the official Caddy image; an image of Debian needs the package util-linux", "the proxy's image has no program flock, so calls on one host cannot wait for each other")
	case noClient:
		e = operr.New("set `proxy` to an image that has wget or curl, such as the official Caddy image", "the proxy's image has neither wget nor curl, so the health of a release cannot be checked")
	case busy:
		e = operr.New("run the command again; if the error remains, restart the proxy's container, which ends all calls in the container", "another call on the host has not ended within 20 s")
	case short:
		e = operr.New("run the command again", "the data did not arrive completely on the host, so nothing was written")
	case stale:
		return errStale
	case damaged:
		e = operr.New("look at the record in the proxy's volume, and remove that file if nobody is deploying", "the host's record cannot be read")
	case notWritten:
		e = operr.New("check whether the host's disk is full: `df -h`", "%w", ErrNotWritten)
	default:
		e = operr.New("", "the operation %s on the host ended with status %d", operation, status)
	}
	return e.WithDetail(last(out))
}
