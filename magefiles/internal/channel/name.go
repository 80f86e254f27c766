package channel

import (
	"regexp"
	"slices"
	"sync"
)

var (
	nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`) })
	reserved = []string{"api", "t"} // reserved by other URL paths
)

// CheckName reports an error that wraps ErrMalformed if name is not a valid channel name.
func CheckName(name string) error {
	if !nameForm().MatchString(name) || slices.Contains(reserved, name) {
		return Errorf(ErrMalformed, `%.120q cannot be the name of a channel: only letters, digits, ".", "_" and "-" are allowed, and the names "api" and "t" are reserved`, name)
	}
	return nil
}
