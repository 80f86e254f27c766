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

// Logs writes what a container wrote: the last so many lines, or with a negative number all. With follow it goes on until the container
// ends, or the context does, and has no time limit of its own.
func (c *Client) Logs(ctx context.Context, id string, tail int, follow bool, stdout, stderr io.Writer) error {
	if !follow {
		limit, done := limited(ctx, slow)
		defer done()
		ctx = limit
	}
	last := "all"
	if tail >= 0 {
		last = strconv.Itoa(tail)
	}
	stream, err := c.api.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: last, Follow: follow})
	if err != nil {
		return failed(ctx, err, "reading the logs of container %s", id)
	}
	defer stream.Close()
	_, err = stdcopy.StdCopy(stdout, stderr, stream)
	return failed(ctx, err, "reading the logs of container %s", id)
}

// Lines writes whole lines, each behind a prefix, to what several share.
type Lines struct {
	To     io.Writer
	Mu     *sync.Mutex // of what is written to
	Prefix string
	rest   []byte
}

// longest is what of a line without an end is kept.
const longest = 64 << 10

// Write keeps what is not a whole line yet.
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
	fmt.Fprintf(l.To, "%s%s\n", l.Prefix, line) // who reads has gone where it fails
}

// End writes a last line that has no end.
func (l *Lines) End() {
	if len(l.rest) > 0 {
		l.write(l.rest)
	}
}
