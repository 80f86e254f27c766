package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Result is what a command wrote, and how it ended.
type Result struct {
	Stdout, Stderr string
	Exit           int
}

// Exec runs a command in a container that runs, and gives it stdin; nil is an empty input. An exit status is no error. What is run goes on
// when the connection breaks, or the context ends: the engine cannot be told to end it.
func (c *Client) Exec(ctx context.Context, id string, argv []string, stdin io.Reader) (Result, error) {
	const doing = "running a command in container %s"
	ctx, done := limited(ctx, slow)
	defer done()
	made, err := c.api.ExecCreate(ctx, id, client.ExecCreateOptions{
		Cmd:          argv,
		AttachStdin:  stdin != nil,
		AttachStdout: true,
		AttachStderr: true,
	})
	if err != nil {
		return Result{}, failed(ctx, err, doing, id)
	}
	attached, err := c.api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return Result{}, failed(ctx, err, doing, id)
	}
	r, err := talk(ctx, attached.HijackedResponse, stdin)
	if err != nil {
		return r, failed(ctx, err, doing, id)
	}
	ended, err := c.api.ExecInspect(ctx, made.ID, client.ExecInspectOptions{})
	if err != nil {
		return r, failed(ctx, err, doing, id)
	}
	if ended.Running { // its output was closed before its end, or the engine went away
		return r, failed(ctx, io.ErrUnexpectedEOF, doing, id)
	}
	r.Exit = ended.ExitCode
	return r, nil
}

// RunOnce makes a container, runs it to its end with stdin, and removes it, whatever happens: it has Spec.Restart Never.
func (c *Client) RunOnce(ctx context.Context, s Spec, stdin io.Reader) (result Result, err error) {
	const doing = "running a container of %s"
	ctx, done := limited(ctx, slow)
	defer done()
	s.Restart = Never
	id, err := c.create(ctx, s, stdin != nil)
	if err != nil {
		return Result{}, err
	}
	defer func() {
		again, done := context.WithTimeout(context.WithoutCancel(ctx), quick)
		defer done()
		err = errors.Join(err, c.Remove(again, id))
	}()
	attached, err := c.api.ContainerAttach(ctx, id, client.ContainerAttachOptions{Stream: true, Stdin: stdin != nil, Stdout: true, Stderr: true})
	if err != nil {
		return Result{}, failed(ctx, err, doing, s.Image)
	}
	if _, err := c.api.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		attached.Close()
		return Result{}, failed(ctx, err, doing, s.Image)
	}
	result, err = talk(ctx, attached.HijackedResponse, stdin)
	if err != nil {
		return result, failed(ctx, err, doing, s.Image)
	}
	wait := c.api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case end := <-wait.Result:
		result.Exit = int(end.StatusCode)
		return result, nil
	case err := <-wait.Error:
		return result, failed(ctx, err, doing, s.Image)
	}
}

// talk gives a command its input, and takes its output to the end. It closes the connection.
func talk(ctx context.Context, h client.HijackedResponse, stdin io.Reader) (Result, error) {
	defer h.Close()
	defer context.AfterFunc(ctx, func() { _ = h.Conn.SetDeadline(time.Unix(1, 0)) })()
	sent := make(chan error, 1)
	go func() {
		var err error
		if stdin != nil {
			_, err = io.Copy(h.Conn, stdin)
		}
		sent <- errors.Join(err, h.CloseWrite())
	}()
	var out, problems bytes.Buffer
	_, err := stdcopy.StdCopy(&out, &problems, h.Reader)
	r := Result{Stdout: out.String(), Stderr: problems.String()}
	if err != nil {
		return r, err
	}
	select {
	case <-sent: // a command may end before it has read all: its exit status says what it thinks of that
	default:
	}
	return r, nil
}
