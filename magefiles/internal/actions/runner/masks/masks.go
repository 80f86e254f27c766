// Package masks hides secrets in a run's output, by the rules of GitHub's runner. It hides a secret as a whole, line by line, and encoded as base64,
// JSON and so on (ValueEncoders.cs of actions/runner, except the encoders for PowerShell's errors).
package masks

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Masks holds a job's secrets. The zero value is empty. Its methods are safe for concurrent use.
type Masks struct {
	mu     sync.Mutex
	values []string
}

// Add masks a value, and each line of it, from now on.
func (m *Masks) Add(value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range append(strings.Split(value, "\n"), value) {
		v = strings.TrimRight(v, "\r")
		if strings.TrimSpace(v) == "" || slices.Contains(m.values, v) {
			continue
		}
		for _, s := range spellings(v) {
			if s != "" && !slices.Contains(m.values, s) {
				m.values = append(m.values, s)
			}
		}
	}
}

// Keep masks this machine's credentials, which a job may find although they are not the job's secrets. They are masked like the
// job's secrets, and by command.Redact like all other output.
func (m *Masks) Keep(credentials []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, hidden := range command.Hidden(credentials) {
		for _, s := range append(spellings(string(hidden)), string(hidden)) {
			if !slices.Contains(m.values, s) {
				m.values = append(m.values, s)
			}
		}
	}
}

var xml = strings.NewReplacer("<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;", "&", "&amp;")

// spellings returns a value and its other encodings.
func spellings(value string) []string {
	all := []string{
		value,
		strings.ReplaceAll(value, `"`, `\"`),
		strings.ReplaceAll(value, "'", "''"),
		strings.ReplaceAll(url.QueryEscape(value), "+", "%20"),
		xml.Replace(value),
	}
	for shift := range min(3, len(value)) { // a prefix, as in base64(user:password), shifts the value by one or two bytes
		all = append(all, base64.StdEncoding.EncodeToString([]byte(value[shift:])))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(value) == nil {
		all = append(all, strings.Trim(strings.TrimSuffix(b.String(), "\n"), `"`))
	}
	if len(value) > 8 && value[0] == '"' && value[len(value)-1] == '"' {
		all = append(all, value[1:len(value)-1])
	}
	return all
}

// Hide returns a text with its secrets replaced by ***. If two secrets overlap, both are hidden.
func (m *Masks) Hide(text string) string {
	hidden, _ := m.hide(text)
	return hidden
}

// HideBegun is like Hide, for an incomplete text. It leaves out the end if that may be the beginning of a secret.
func (m *Masks) HideBegun(text string) string {
	hidden, longest := m.hide(text)
	return hidden[:max(0, len(hidden)-longest)]
}

func (m *Masks) hide(text string) (hidden string, longest int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var at [][2]int
	for _, v := range m.values {
		longest = max(longest, len(v))
		for from := 0; ; {
			i := strings.Index(text[from:], v)
			if i < 0 {
				break
			}
			at = append(at, [2]int{from + i, from + i + len(v)})
			from += i + 1
		}
	}
	if at == nil {
		return text, longest
	}
	slices.SortFunc(at, func(a, b [2]int) int { return a[0] - b[0] })
	var b strings.Builder
	end := 0
	for i, p := range at {
		if i == 0 || p[0] > end {
			b.WriteString(text[end:p[0]] + "***")
		}
		end = max(end, p[1])
	}
	b.WriteString(text[end:])
	return b.String(), longest
}
