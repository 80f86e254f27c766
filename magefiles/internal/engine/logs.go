package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// Logs writes a container's output: the last `tail` lines, or all if `tail` is negative. With `follow`, it continues without a timeout until the
// container exits or the context is canceled.
func (c *Client) Logs(ctx context.Context, id string, tail int, follow bool, stdout, stderr io.Writer) error {
	if !follow {
		limit, done := withLimit(ctx, slow)
		defer done()
		ctx = limit
	}
	last := "all"
	if tail >= 0 {
		last = strconv.Itoa(tail)
	}
	stream, err := c.api.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: last, Follow: follow})
	if err != nil {
		return failure(ctx, err, "reading the logs of container %s", id)
	}
	defer stream.Close()
	_, err = stdcopy.StdCopy(stdout, stderr, stream)
	return failure(ctx, err, "reading the logs of container %s", id)
}

// Lines writes complete lines with a prefix. Several Lines can share a writer.
type Lines struct {
	To     io.Writer
	Mu     *sync.Mutex // guards To
	Prefix string
	rest   []byte
}

// longest limits how much of an unterminated line is buffered.
const longest = 64 << 10

// Write writes the complete lines, and buffers the rest.
func (l *Lines) Write(data []byte) (int, error) {
	l.rest = append(l.rest, data...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found && len(l.rest) < longest {
			return len(data), nil
		}
		l.write(line)
		l.rest = bytes.Clone(rest)
	}
}

func (l *Lines) write(line []byte) {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	fmt.Fprintf(l.To, "%s%s\n", l.Prefix, line) // an error means that the reader is gone
}

// End writes the last line if it is unterminated.
func (l *Lines) End() {
	if len(l.rest) > 0 {
		l.write(l.rest)
	}
}
