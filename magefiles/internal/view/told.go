package view

import (
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Sanitize returns an error that is safe to show to the user. Its text may come from a server, a file or a child, so it is escaped, and secrets are
// masked. The result does not wrap the original error, because that error's detail and next step would be printed unchanged.
func Sanitize(err error, secrets ...string) *operr.Error {
	e := operr.Error{
		Summary: err.Error(),
		Detail:  operr.DetailOf(err),
		Next:    operr.NextOf(err),
		Status:  operr.ExitStatus(err),
	}
	for _, text := range []*string{&e.Summary, &e.Detail, &e.Next} {
		*text = Plain(command.Redact(*text, secrets...))
	}
	return &e
}
