package command

import (
	"bytes"
	"strings"
)

// revealing is the minimum length of secrets that are searched for in published files. A shorter one may be an ordinary word.
const revealing = 16

// Reveals returns the name of an environment variable whose secret occurs in a text, verbatim, URL-encoded or in base64. It returns "" if there is
// none.
func Reveals(text []byte, environ []string) (name string) {
	for _, kv := range environ {
		for _, secret := range Secrets([]string{kv}) {
			if len(secret) < revealing {
				continue
			}
			for _, s := range spellings(secret) {
				if bytes.Contains(text, s) {
					name, _, _ := strings.Cut(kv, "=")
					return name
				}
			}
		}
	}
	return ""
}
