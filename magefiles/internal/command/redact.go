package command

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
)

const hidden = "***"

// MaskedFrom is how long a secret has to be to be hidden: in place of shorter ones, text that has nothing to do with them
// would be.
const MaskedFrom = 8

// spellings are a secret as it is, as a part of an address, and as base64, on its own or within more: what stands before it
// shifts it by a third or two of a character. Only what is the same whatever surrounds it counts.
func spellings(secret string) [][]byte {
	all := [][]byte{[]byte(secret)}
	add := func(text string) {
		if len(text) >= MaskedFrom && !slices.ContainsFunc(all, func(b []byte) bool { return string(b) == text }) {
			all = append(all, []byte(text))
		}
	}
	add(url.QueryEscape(secret))
	add(url.PathEscape(secret))
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			text = text[(before*8+5)/6:]                     // the first characters have bits of what stands before
			text = text[:(len(secret)*8-(6-before*8%6)%6)/6] // and the last one of what follows
			add(text)
		}
	}
	return all
}

// linesOf are the lines of a secret that has several, such as a private key: one that is shown line by line is found by them.
func linesOf(secret string) (lines [][]byte) {
	if !strings.ContainsAny(secret, "\r\n") {
		return nil
	}
	for line := range strings.FieldsFuncSeq(secret, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if len(line) >= MaskedFrom {
			lines = append(lines, []byte(line))
		}
	}
	return lines
}

// Hidden is all that is hidden for secrets: each of [MaskedFrom] bytes or more in its spellings, and its lines.
func Hidden(secrets []string) (all [][]byte) {
	for _, s := range secrets {
		if len(s) >= MaskedFrom {
			all = append(all, spellings(s)...)
		}
		all = append(all, linesOf(s)...)
	}
	return all
}

// redactor replaces secrets in a stream, also where one is split over two writes.
type redactor struct {
	mu      sync.Mutex
	w       io.Writer
	secrets [][]byte
	held    []byte // the end of what was written, which may be the beginning of a secret
}

func newRedactor(w io.Writer, secrets []string) *redactor {
	r := &redactor{
		w:       w,
		secrets: Hidden(secrets),
	}
	// Longest first: a secret that contains another one is hidden whole.
	slices.SortFunc(r.secrets, func(a, b []byte) int { return len(b) - len(a) })
	return r
}

func (r *redactor) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.secrets) == 0 {
		return r.w.Write(p)
	}
	r.held = append(r.held, p...)
	for _, s := range r.secrets {
		r.held = bytes.ReplaceAll(r.held, s, []byte(hidden))
	}
	keep := 0
	for _, s := range r.secrets {
		for n := min(len(s)-1, len(r.held)); n > keep; n-- {
			if bytes.HasSuffix(r.held, s[:n]) {
				keep = n
			}
		}
	}
	if _, err := r.w.Write(r.held[:len(r.held)-keep]); err != nil {
		return 0, err
	}
	r.held = slices.Clone(r.held[len(r.held)-keep:])
	return len(p), nil
}

// Flush writes what was held back: no secret came of it.
func (r *redactor) Flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) > 0 {
		_, _ = r.w.Write(r.held)
		r.held = nil
	}
}

// Hiding hides all secrets of an environment in what is written to two writers, which may be one, or nil. Whoever calls it calls flush
// once nothing more is written.
func Hiding(environ []string, stdout, stderr io.Writer) (out, errOut io.Writer, flush func()) {
	secrets := Secrets(environ)
	hide := func(w io.Writer) io.Writer {
		if w == nil {
			return nil
		}
		r := newRedactor(w, secrets)
		before := flush
		flush = func() { before(); r.Flush() }
		return r
	}
	flush = func() {}
	if out = hide(stdout); same(stdout, stderr) {
		return out, out, flush
	}
	return out, hide(stderr), flush
}

// Masked is a writer for people: secrets are replaced in what goes through it to w. Unmasked is w, for what a program reads.
type Masked struct{ r *redactor }

// Mask puts a Masked in front of w.
func Mask(w io.Writer, secrets ...string) *Masked { return &Masked{r: newRedactor(w, secrets)} }

// Write implements io.Writer. What may be the beginning of a secret waits for what follows, unless a line or a word ends.
func (m *Masked) Write(p []byte) (int, error) {
	n, err := m.r.Write(p)
	if len(p) > 0 && p[len(p)-1] <= ' ' {
		m.r.Flush()
	}
	return n, err
}

// Unmasked is the writer behind.
func (m *Masked) Unmasked() io.Writer { return m.r.w }

// Redact replaces secrets in text.
func Redact(text string, secrets ...string) string {
	var b strings.Builder
	r := newRedactor(&b, secrets)
	_, _ = io.WriteString(r, text)
	r.Flush()
	return b.String()
}

// tail keeps the last lines that were written.
type tail struct {
	mu  sync.Mutex
	buf []byte // its last tailBytes count; there may be as many before them, so that they are not moved at each write
}

const (
	tailBytes = 8 << 10
	tailLines = 25
)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := p[max(0, len(p)-tailBytes):]
	if len(t.buf)+len(last) > 2*tailBytes {
		kept := t.buf[max(0, len(t.buf)+len(last)-tailBytes):]
		t.buf = append(t.buf[:0], kept...)
	}
	t.buf = append(t.buf, last...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.buf[max(0, len(t.buf)-tailBytes):]
	lines := strings.Split(strings.TrimRight(string(last), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
