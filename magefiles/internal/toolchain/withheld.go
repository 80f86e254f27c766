package toolchain

import (
	"errors"
	"fmt"
	"io"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TellWithheld prints how to pass a credential to code that ran without credentials and failed (see [command.DescribeWithheld]). `w` is the writer to
// which the code's output went. TellWithheld is a no-op if no variable was withheld.
func TellWithheld(w io.Writer, err error, withheld, passed []string) {
	var exit *command.ExitError
	if w == nil || len(withheld) == 0 || !errors.As(err, &exit) {
		return
	}
	fmt.Fprintln(w, command.DescribeWithheld(exit.Tail, withheld, passed))
}
