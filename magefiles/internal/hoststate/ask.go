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

// Answer is an HTTP response from inside the proxy's container. Status is 0 if there was none.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // only for a successful response; at most 256 KiB
}

var statusLine = regexp.MustCompile(`\AHTTP/[\d.]+ (\d{3})\b`)

// Ask sends a request to a URL on the container's loopback interface, with the given Host header.
func (s *State) Ask(ctx context.Context, url, host string, within time.Duration) (Answer, error) {
	args := []string{"ask", url, host, seconds(within)}
	out, status, err := s.Runner.Run(ctx, s.argv(args), nil)
	if err != nil {
		return Answer{}, err
	}
	if status != 0 {
		return Answer{}, failure(args[0], status, out)
	}
	// The script prints the head after the body, because the body's size is not known in advance.
	at := strings.LastIndexByte(string(out), '\n')
	count, err := strconv.Atoi(string(out[at+1:]))
	from := at - count
	if err != nil || at < 0 || count < 0 || from < 1 {
		return Answer{}, operr.New("", "the host's answer cannot be read: its end is missing").WithDetail(last(out))
	}
	return answer(string(out[from:at]), out[:from-1]), nil
}

// answer parses the head of the first response. wget follows redirects, but we need the response of the requested URL.
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
