package channel

import (
	"regexp"
	"slices"
	"sync"
)

var (
	nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`) })
	reserved = []string{"api", "t"} // stand in the same place of an URL as a channel
)

// CheckName says what is wrong with the name of a channel; its error wraps ErrMalformed.
func CheckName(name string) error {
	if !nameForm().MatchString(name) || slices.Contains(reserved, name) {
		return Errorf(ErrMalformed, `%.120q cannot be the name of a channel: it has to be of letters, digits, ".", "_" and "-", and neither "api" nor "t"`, name)
	}
	return nil
}
