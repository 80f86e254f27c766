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

// MaskedFrom is the minimum length of secrets that are hidden. Hiding shorter ones would also hide unrelated text.
const MaskedFrom = 8

// spellings returns the encodings of a secret: verbatim, URL-encoded, and base64, alone or within other text. Text before the secret shifts its
// base64 by one or two thirds of a character, so only the part that does not depend on the surrounding text is returned.
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
			text = text[(before*8+5)/6:]                     // the first characters include bits of the preceding text
			text = text[:(len(secret)*8-(6-before*8%6)%6)/6] // and the last one bits of the following text
			add(text)
		}
	}
	return all
}

// linesOf returns the lines of a multi-line secret, such as a private key, which may be printed line by line.
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

// Hidden returns all texts to mask for secrets: the encodings of each secret of at least [MaskedFrom] bytes, and the lines of multi-line secrets.
func Hidden(secrets []string) (all [][]byte) {
	for _, s := range secrets {
		if len(s) >= MaskedFrom {
			all = append(all, spellings(s)...)
		}
		all = append(all, linesOf(s)...)
	}
	return all
}

// redactor masks secrets in a stream, even if a secret is split over several writes.
type redactor struct {
	mu      sync.Mutex
	w       io.Writer
	secrets [][]byte
	held    []byte // unwritten tail, which may be the start of a secret
}

func newRedactor(w io.Writer, secrets []string) *redactor {
	r := &redactor{
		w:       w,
		secrets: Hidden(secrets),
	}
	// Longest first, so that a secret that contains another one is hidden completely.
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

// Flush writes the text that was held back.
func (r *redactor) Flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) > 0 {
		_, _ = r.w.Write(r.held)
		r.held = nil
	}
}

// Hiding wraps two writers, which may be equal or nil, and masks all secrets of an environment in what is written to them. The caller must call flush
// after the last write.
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

// Masked is a writer that masks secrets and writes to w. Unmasked returns w, for output that a program parses.
type Masked struct{ r *redactor }

// Mask returns a Masked that writes to w.
func Mask(w io.Writer, secrets ...string) *Masked { return &Masked{r: newRedactor(w, secrets)} }

// Write implements io.Writer. It holds back text that may be the start of a secret until the next write, unless it ends a line or a word.
func (m *Masked) Write(p []byte) (int, error) {
	n, err := m.r.Write(p)
	if len(p) > 0 && p[len(p)-1] <= ' ' {
		m.r.Flush()
	}
	return n, err
}

// Unmasked returns the underlying writer.
func (m *Masked) Unmasked() io.Writer { return m.r.w }

// Redact masks secrets in text.
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
	buf []byte // only the last tailBytes matter; up to tailBytes older bytes are kept so that not every write has to copy
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
