package localengine

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"sync"

	"github.com/moby/moby/api/types/common"
	"github.com/moby/moby/api/types/container"
)

// searchPath is the engine's default PATH for containers.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// execution is a command in a container.
type execution struct {
	id   string
	c    *Container
	q    container.ExecCreateRequest
	done bool
	exit int
}

func (e *Engine) createExec(w http.ResponseWriter, r *http.Request, c *Container) error {
	var q container.ExecCreateRequest
	if err := read(r, &q); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !c.running() {
		return says(http.StatusConflict, "Container %s is not running", c.ID)
	}
	x := &execution{id: e.id(), c: c, q: q}
	e.execs[x.id] = x
	send(w, http.StatusCreated, common.IDResponse{ID: x.id})
	return nil
}

func (e *Engine) execution(id string) (*execution, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if x := e.execs[id]; x != nil {
		return x, nil
	}
	return nil, says(http.StatusNotFound, "No such exec instance: %s", id)
}

func (e *Engine) startExec(w http.ResponseWriter, r *http.Request, id string) error {
	x, err := e.execution(id)
	if err != nil {
		return err
	}
	conn, err := e.hijack(w)
	if err != nil {
		return err
	}
	defer e.release(conn)
	var stdin io.Reader = bytes.NewReader(nil)
	if x.q.AttachStdin {
		input, _ := io.ReadAll(conn)
		e.noteInput(r.Method, r.URL.Path, input)
		stdin = bytes.NewReader(input)
	}
	var mu sync.Mutex
	exit := x.run(stdin, framed{mu: &mu, w: conn, stream: stdout}, framed{mu: &mu, w: conn, stream: stderr})
	e.mu.Lock()
	x.done, x.exit = true, exit
	e.mu.Unlock()
	return nil
}

// run runs the command. It continues if the client disconnects, because the engine cannot stop it.
func (x *execution) run(stdin io.Reader, out, problems io.Writer) int {
	if answer := x.c.image.Command; answer != nil {
		if exit, answered := answer(x.c, x.q.Cmd, stdin, out, problems); answered {
			return exit
		}
	}
	argv := make([]string, len(x.q.Cmd))
	for i, arg := range x.q.Cmd {
		argv[i] = x.c.Path(arg)
	}
	var heard, said bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append([]string{"PATH=" + searchPath}, append(x.c.Env, x.q.Env...)...)
	cmd.Dir = x.c.engine.dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &heard, &said
	err := cmd.Run()
	if heard.Len() > 0 {
		_, _ = out.Write(heard.Bytes())
	}
	if said.Len() > 0 {
		_, _ = problems.Write(said.Bytes())
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		_, _ = io.WriteString(out, "OCI runtime exec failed: exec failed: unable to start container process: "+err.Error()+"\r\n")
		return 126
	}
	return 0
}

func (e *Engine) inspectExec(w http.ResponseWriter, _ *http.Request, id string) error {
	x, err := e.execution(id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	shown := container.ExecInspectResponse{ID: id, ContainerID: x.c.ID, Running: !x.done}
	if x.done {
		shown.ExitCode = &x.exit
	}
	send(w, http.StatusOK, shown)
	return nil
}
