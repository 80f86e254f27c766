package hostiletest

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// Endless answers with a beginning, and then with a text, as long as somebody reads.
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

// Trickle answers with one character after the other, as long as somebody waits.
func Trickle(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, " ")
		w.(http.Flusher).Flush()
		time.Sleep(5 * time.Millisecond)
	}
}

// Silence never answers.
func Silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
