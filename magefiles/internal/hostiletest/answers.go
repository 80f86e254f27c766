package hostiletest

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// Endless writes a beginning, and then repeats a text, until the client has closed the connection.
func Endless(begin, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, begin)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat(text, 1000)); err != nil {
				return
			}
		}
	}
}

// Trickle writes one character after another, until the client has closed the connection.
func Trickle(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, " ")
		w.(http.Flusher).Flush()
		time.Sleep(5 * time.Millisecond)
	}
}

// Silence never answers.
func Silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
