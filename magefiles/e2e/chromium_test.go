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

// tab is a page in this machine's Chromium, which is spoken to over a pipe.
type tab struct {
	t       *testing.T
	to      *os.File
	session string

	mu     sync.Mutex
	number int
	wait   map[int]chan answer
	asked  []string // addresses of all that was asked for
	held   []string // requests that wait for release
}

// answer is what Chromium says to a command.
type answer struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

// browse opens a page that has nothing. It ends with the test.
func browse(t *testing.T) *tab {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "chromium is missing (Debian: chromium)")
		t.Skip("a page was not looked at: chromium is missing (Debian: chromium)")
	}
	profile, err := os.MkdirTemp("", "chromium") // what it starts may write there for a moment after its end
	require.NoError(t, err)
	in, to, err := os.Pipe()
	require.NoError(t, err)
	from, out, err := os.Pipe()
	require.NoError(t, err)
	x := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage",
		"--user-data-dir="+profile, "--remote-debugging-pipe")
	x.Env = append(os.Environ(), "XDG_CONFIG_HOME="+profile) // where it writes whatever its profile is
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

// listen hears what Chromium says.
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

// call has Chromium do something, and reads its answer into result, unless that is nil.
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

// hold lets requests wait whose address has a pattern, until release is called.
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

// says is what an expression of the page's is, as text; "" while the page cannot say it.
func (b *tab) says(expression string) string {
	b.t.Helper()
	var said struct {
		Result struct{ Value any }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &said)
	text, _ := said.Result.Value.(string)
	return text
}

// elsewhere are the addresses that were asked for, but for those of one host.
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
