package toolchain

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TellWithheld says, where code failed that was run without credentials, which variables it was not given, and what lets it have
// one. Where its last lines name some of them, it is these alone. It writes to where the code has written, and nothing where
// nothing was withheld.
func TellWithheld(w io.Writer, err error, withheld []string) {
	var exit *command.ExitError
	if w == nil || len(withheld) == 0 || !errors.As(err, &exit) {
		return
	}
	if named := slices.DeleteFunc(slices.Clone(withheld), func(name string) bool { return !strings.Contains(exit.Tail, name) }); len(named) > 0 {
		withheld = named
	}
	fmt.Fprintf(w, "It was run without %s. If it needs one of them: [tool.release] pass = [%q]\n", strings.Join(withheld, ", "), withheld[0])
}
