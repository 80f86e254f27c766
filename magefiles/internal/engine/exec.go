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

// Result is a command's output and exit status.
type Result struct {
	Stdout, Stderr string
	Exit           int
}

// Exec runs a command in a running container, with stdin as its input; nil means empty. A non-zero exit status is not an error. If the connection
// breaks or the context is canceled, the command keeps running, because the API cannot stop it.
func (c *Client) Exec(ctx context.Context, id string, argv []string, stdin io.Reader) (Result, error) {
	const doing = "running a command in container %s"
	ctx, done := withLimit(ctx, slow)
	defer done()
	made, err := c.api.ExecCreate(ctx, id, client.ExecCreateOptions{
		Cmd:          argv,
		AttachStdin:  stdin != nil,
		AttachStdout: true,
		AttachStderr: true,
	})
	if err != nil {
		return Result{}, failure(ctx, err, doing, id)
	}
	attached, err := c.api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return Result{}, failure(ctx, err, doing, id)
	}
	r, err := talk(ctx, attached.HijackedResponse, stdin)
	if err != nil {
		return r, failure(ctx, err, doing, id)
	}
	ended, err := c.api.ExecInspect(ctx, made.ID, client.ExecInspectOptions{})
	if err != nil {
		return r, failure(ctx, err, doing, id)
	}
	if ended.Running { // the command closed its output before exiting, or the engine disappeared
		return r, failure(ctx, io.ErrUnexpectedEOF, doing, id)
	}
	r.Exit = ended.ExitCode
	return r, nil
}

// RunOnce creates a container with restart policy Never, runs it to completion with stdin, and removes it even on failure.
func (c *Client) RunOnce(ctx context.Context, s Spec, stdin io.Reader) (result Result, err error) {
	const doing = "running a container of %s"
	ctx, done := withLimit(ctx, slow)
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
		return Result{}, failure(ctx, err, doing, s.Image)
	}
	if _, err := c.api.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		attached.Close()
		return Result{}, failure(ctx, err, doing, s.Image)
	}
	result, err = talk(ctx, attached.HijackedResponse, stdin)
	if err != nil {
		return result, failure(ctx, err, doing, s.Image)
	}
	wait := c.api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case end := <-wait.Result:
		result.Exit = int(end.StatusCode)
		return result, nil
	case err := <-wait.Error:
		return result, failure(ctx, err, doing, s.Image)
	}
}

// talk sends stdin to a command and reads its output to the end. It closes the connection.
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
	case <-sent: // a command may exit before reading all input; its exit status tells whether that is an error
	default:
	}
	return r, nil
}
