package command

import (
	"io"
	"strings"
)

// CredentialNames are the patterns that credentials are known by.
func CredentialNames() (all []string) {
	for _, c := range credentials {
		all = append(all, c.names...)
	}
	return all
}

// What tests look at.
var (
	HarmlessNames = harmlessNames
	Ways          = ways
	Above         = above
)

// Redact replaces secrets in text.
func Redact(text string, secrets ...string) string {
	var b strings.Builder
	r := newRedactor(&b, secrets)
	_, _ = io.WriteString(r, text)
	r.Flush()
	return b.String()
}
