package localengine

// Fault is a way for a request to fail.
type Fault int

// Faults.
const (
	None       Fault = iota
	Unanswered       // the connection breaks before the request takes effect
	Unheard          // the request takes effect, and then the connection breaks
	Hanging          // there is no response until the client disconnects
	FullDisk         // the engine reports that its disk is full
	Broken           // the engine reports an internal error
)

// Fail injects faults: f returns the fault for each request. A nil f ends this.
func (e *Engine) Fail(f func(Request) Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault = f
}

// Break lets the next `after` requests succeed, and fails all later ones, as if the client's process had been killed. A negative number means no
// limit. It implements a method of sessiontest.Site.
func (e *Engine) Break(after int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.budget = after
}

// note records a request and returns its fault.
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

// noteInput records the input of a command, along with the request that started it.
func (e *Engine) noteInput(method, path string, input []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests = append(e.requests, Request{Method: method, Path: path + "#stdin", Body: string(input)})
}
