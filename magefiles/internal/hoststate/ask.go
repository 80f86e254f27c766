package hoststate

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Answer is what an address inside the proxy's container answers. Status is 0 where nothing answers.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // of a status that is a success; at most 256 KiB
}

var statusLine = regexp.MustCompile(`\AHTTP/[\d.]+ (\d{3})\b`)

// Ask asks an address on the container's loopback, as a client who wants to have a host does.
func (s *State) Ask(ctx context.Context, url, host string, within time.Duration) (Answer, error) {
	args := []string{"ask", url, host, seconds(within)}
	out, status, err := s.Runner.Run(ctx, s.argv(args), nil)
	if err != nil {
		return Answer{}, err
	}
	if status != 0 {
		return Answer{}, failed(args[0], status, out)
	}
	// The head stands behind the body, whose size nobody knows before.
	at := strings.LastIndexByte(string(out), '\n')
	count, err := strconv.Atoi(string(out[at+1:]))
	from := at - count
	if err != nil || at < 0 || count < 0 || from < 1 {
		return Answer{}, operr.New("", "the host's answer is not one of ours").WithDetail(last(out))
	}
	return answer(string(out[from:at]), out[:from-1]), nil
}

// answer reads the first answer's head: wget follows to other places by itself, which is not what was asked.
func answer(head string, body []byte) Answer {
	a := Answer{Header: http.Header{}}
	for line := range strings.Lines(head) {
		line = strings.TrimSpace(line)
		if m := statusLine.FindStringSubmatch(line); m != nil {
			if a.Status != 0 {
				return a
			}
			a.Status, _ = strconv.Atoi(m[1])
		} else if name, value, ok := strings.Cut(line, ":"); ok && a.Status != 0 {
			a.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	if a.Status/100 == 2 {
		a.Body = body
	}
	return a
}
