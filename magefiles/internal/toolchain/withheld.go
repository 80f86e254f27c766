package toolchain

import (
	"errors"
	"fmt"
	"io"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TellWithheld says, where code failed that was run without credentials, what lets it have one (see [command.Without]). It writes to where
// the code has written, and nothing where nothing was withheld.
func TellWithheld(w io.Writer, err error, withheld, passed []string) {
	var exit *command.ExitError
	if w == nil || len(withheld) == 0 || !errors.As(err, &exit) {
		return
	}
	fmt.Fprintln(w, command.Without(exit.Tail, withheld, passed))
}
