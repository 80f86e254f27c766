package toolchain

import (
	"errors"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// OfChild adds a job's name to an error that only reports that the job's child process failed, because the child has already printed the reason.
func OfChild(err error, next, name string) error {
	var exit *command.ExitError
	var told *operr.Error
	if errors.As(err, &exit) && !errors.As(err, &told) {
		return operr.New(next, "%s: %w", name, err)
	}
	return err
}
