package toolchain

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TellWithheld says, where code failed that was run without credentials, which variables it was not given, and what lets it have
// one, beside what it is passed already. Where its last lines name some of them, it is these alone. It writes to where the code has
// written, and nothing where nothing was withheld.
func TellWithheld(w io.Writer, err error, withheld, passed []string) {
	var exit *command.ExitError
	if w == nil || len(withheld) == 0 || !errors.As(err, &exit) {
		return
	}
	if named := slices.DeleteFunc(slices.Clone(withheld), func(name string) bool { return !strings.Contains(exit.Tail, name) }); len(named) > 0 {
		withheld = named
	}
	if len(withheld) == 1 {
		fmt.Fprintf(w, "It was run without %s. If it needs that: [tool.release] pass = %s\n", withheld[0], line(append(slices.Clone(passed), withheld[0])))
		return
	}
	fmt.Fprintf(w, "It was run without %s. If it needs one of them, name that: [tool.release] pass = %s\n", strings.Join(withheld, ", "), line(append(slices.Clone(passed), "NAME")))
}

// line is a list as TOML has it.
func line(names []string) string {
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, strconv.Quote(name))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
