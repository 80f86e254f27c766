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

// Script is what runs on a host.
//
//go:embed script.sh
var Script string

// What the script ends with.
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

// ErrNotWritten is the error of a host whose disk has no room, or takes nothing any more.
var ErrNotWritten = errors.New("the host cannot write what it is to keep: the old contents stand")

// section is one value that the script shows.
type section struct{ name, text string }

type sections []section

// one is the first section of a name, or "".
func (s sections) one(name string) string {
	for _, f := range s {
		if f.name == name {
			return f.text
		}
	}
	return ""
}

// has reports whether there is a section of a name.
func (s sections) has(name string) bool {
	for _, f := range s {
		if f.name == name {
			return true
		}
	}
	return false
}

// number is a section that is a number; what is none counts as 0.
func (s sections) number(name string) int64 {
	n, err := strconv.ParseInt(s.one(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// read takes what section of script.sh has shown.
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

// argv is what is run for an operation.
func (s *State) argv(args []string) []string {
	dir := s.Dir
	if dir == "" {
		dir = Dir
	}
	return append([]string{"sh", "-c", Script, "sh", dir}, args...)
}

// call runs one operation, and returns what it shows.
func (s *State) call(ctx context.Context, stdin []byte, args ...string) (sections, error) {
	out, status, err := s.Runner.Run(ctx, s.argv(args), stdin)
	if err != nil {
		return nil, err
	}
	if status != 0 && status != held && status != lost {
		return nil, failed(args[0], status, out)
	}
	found, whole := read(out)
	if !whole {
		return nil, operr.New("", "%s: the host's answer is not one of ours", args[0]).WithDetail(last(out))
	}
	switch status {
	case held:
		return nil, heldError(found)
	case lost:
		return nil, lostError(found)
	}
	return found, nil
}

// last is the end of what was said.
func last(out []byte) string {
	const enough = 2000
	text := strings.TrimSpace(string(out))
	return text[max(0, len(text)-enough):]
}

func failed(operation string, status int, out []byte) error {
	var e *operr.Error
	switch status {
	case noFlock:
		e = operr.New("set `proxy` to an image that has flock: the official Caddy has it, Debian's needs package util-linux", "the proxy's image has no flock, by which calls on one host wait for each other")
	case noClient:
		e = operr.New("set `proxy` to an image that has wget or curl: the official Caddy has wget", "the proxy's image has neither wget nor curl, by which a release is asked whether it is well")
	case busy:
		e = operr.New("try again; if it stays so, restart the proxy's container, which ends all calls in it", "another call on the host has not ended within 20 s")
	case short:
		e = operr.New("try again", "what was to be written did not arrive whole, and nothing was written")
	case stale:
		return errStale
	case damaged:
		e = operr.New("look at the file in the proxy's volume, and remove it if nobody deploys", "what the host keeps cannot be read")
	case notWritten:
		e = operr.New("see whether the host's disk is full", "%w", ErrNotWritten)
	default:
		e = operr.New("", "%s on the host ended with status %d", operation, status)
	}
	return e.WithDetail(last(out))
}
