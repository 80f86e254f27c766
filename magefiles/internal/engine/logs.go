package engine

import (
	"context"
	"io"
	"strconv"

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
