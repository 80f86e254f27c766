package command

import (
	"bytes"
	"strings"
)

// revealing is how long a secret has to be to be looked for in what is published: a shorter one may be a word.
const revealing = 16

// Reveals returns the name of a variable of an environment whose secret stands in a text, as it is, in an address or in base64; ""
// where there is none.
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
