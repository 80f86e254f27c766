package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tab is a page in the local Chromium, controlled through a pipe.
type tab struct {
	t       *testing.T
	to      *os.File
	session string

	mu     sync.Mutex
	number int
	wait   map[int]chan answer
	asked  []string // URLs of all requests
	held   []string // requests that are paused until release is called
}

// answer is Chromium's response to a command.
type answer struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

// browse opens an empty page, which is closed when the test ends.
func browse(t *testing.T) *tab {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "chromium is missing (Debian: chromium)")
		t.Skip("a page was not looked at: chromium is missing (Debian: chromium)")
	}
	profile, err := os.MkdirTemp("", "chromium") // not t.TempDir, because the browser's children may still write here shortly after the browser exits
	require.NoError(t, err)
	in, to, err := os.Pipe()
	require.NoError(t, err)
	from, out, err := os.Pipe()
	require.NoError(t, err)
	x := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage",
		"--user-data-dir="+profile, "--remote-debugging-pipe")
	x.Env = append(os.Environ(), "XDG_CONFIG_HOME="+profile) // Chromium writes to this folder whatever its profile
	x.ExtraFiles = []*os.File{in, out}
	x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, x.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-x.Process.Pid, syscall.SIGKILL)
		_ = x.Wait()
		for _, f := range []*os.File{in, to, from, out} {
			_ = f.Close()
		}
		_ = os.RemoveAll(profile)
	})
	b := &tab{t: t, to: to, wait: map[int]chan answer{}}
	go b.listen(from)
	var target struct{ TargetID, SessionID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target)
	b.mu.Lock()
	b.session = target.SessionID
	b.mu.Unlock()
	b.call("Network.enable", map[string]any{}, nil)
	return b
}

// listen reads Chromium's responses and events.
func (b *tab) listen(from *os.File) {
	read := bufio.NewReader(from)
	for {
		text, err := read.ReadBytes(0)
		if err != nil {
			return
		}
		var said struct {
			answer
			ID     int
			Method string
			Params struct {
				RequestID string
				URL       string
				Request   struct{ URL string }
			}
		}
		if json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &said) != nil {
			continue
		}
		b.mu.Lock()
		switch said.Method {
		case "":
			b.wait[said.ID] <- said.answer
			delete(b.wait, said.ID)
		case "Network.requestWillBeSent":
			b.asked = append(b.asked, said.Params.Request.URL)
		case "Network.webSocketCreated":
			b.asked = append(b.asked, said.Params.URL)
		case "Fetch.requestPaused":
			b.held = append(b.held, said.Params.RequestID)
		}
		b.mu.Unlock()
	}
}

// call sends a command to Chromium and decodes the response into result, unless result is nil.
func (b *tab) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.mu.Lock()
	b.number++
	said := make(chan answer, 1)
	b.wait[b.number] = said
	text, err := json.Marshal(struct {
		ID        int            `json:"id"`
		Method    string         `json:"method"`
		Params    map[string]any `json:"params"`
		SessionID string         `json:"sessionId,omitempty"`
	}{ID: b.number, Method: method, Params: params, SessionID: b.session})
	if err == nil {
		_, err = b.to.Write(append(text, 0))
	}
	b.mu.Unlock()
	require.NoError(b.t, err)
	select {
	case a := <-said:
		require.Nil(b.t, a.Error, "%s: %v", method, a.Error)
		if result != nil {
			require.NoError(b.t, json.Unmarshal(a.Result, result))
		}
	case <-time.After(2 * time.Minute):
		require.Fail(b.t, "Chromium does not answer", method)
	}
}

// hold blocks requests whose URL matches a pattern, until release is called.
func (b *tab) hold(pattern string) (release func()) {
	b.t.Helper()
	b.call("Fetch.enable", map[string]any{"patterns": []map[string]any{{"urlPattern": pattern}}}, nil)
	return func() {
		b.t.Helper()
		for _, id := range b.waiting() {
			b.call("Fetch.continueRequest", map[string]any{"requestId": id}, nil)
		}
		b.call("Fetch.disable", map[string]any{}, nil)
	}
}

func (b *tab) waiting() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// `says` evaluates an expression in the page and returns the result as text. It returns "" while the page cannot evaluate expressions.
func (b *tab) says(expression string) string {
	b.t.Helper()
	var said struct {
		Result struct{ Value any }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &said)
	text, _ := said.Result.Value.(string)
	return text
}

// `elsewhere` returns the URLs of all requests to hosts other than the given one.
func (b *tab) elsewhere(host string) (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, url := range b.asked {
		_, rest, found := strings.Cut(url, "://")
		if found && !strings.HasPrefix(rest, host+"/") {
			all = append(all, url)
		}
	}
	return all
}
