package localengine

// Fault is what goes wrong with a request.
type Fault int

// What goes wrong.
const (
	None       Fault = iota
	Unanswered       // the connection breaks, and nothing was done
	Unheard          // it is done, and then the connection breaks
	Hanging          // no answer comes until the client goes away
	FullDisk         // there is no space left
	Broken           // the engine says that it is
	NoRight          // as a socket that one may not use, seen through ssh: the connection is closed
)

// Fail lets requests go wrong as f says, which is asked about each; nil: none does.
func (e *Engine) Fail(f func(Request) Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault = f
}

// Break answers so many requests from now on, and refuses all after them, as those of a process that is gone are never sent; a negative
// number is no limit. It is what sessiontest.Site wants.
func (e *Engine) Break(after int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.budget = after
}

// note records a request, and says what goes wrong with it.
func (e *Engine) note(r Request) Fault {
	e.mu.Lock()
	e.requests = append(e.requests, r)
	f := e.fault
	refused := e.budget == 0
	if e.budget > 0 {
		e.budget--
	}
	e.mu.Unlock()
	switch {
	case refused:
		return Unanswered
	case f != nil:
		return f(r)
	}
	return None
}

// noteInput records what was sent to a command, with the request that began it.
func (e *Engine) noteInput(method, path string, input []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests = append(e.requests, Request{Method: method, Path: path + "#stdin", Body: string(input)})
}
