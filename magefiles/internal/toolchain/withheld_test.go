package toolchain_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

func TestTellWithheld(t *testing.T) {
	failed := func(tail string) error {
		return fmt.Errorf("task x: %w", &command.ExitError{Name: "python", Code: 1, Tail: tail})
	}
	withheld := []string{"A_TOKEN", "MY_TOKEN", "SSH_AUTH_SOCK"}
	for _, c := range []struct {
		name     string
		err      error
		withheld []string
		passed   []string
		says     string
	}{
		{"it went well", nil, withheld, nil, ""},
		{"it was not started", errors.New("starting python: not found"), withheld, nil, ""},
		{"nothing was withheld", failed("KeyError: 'MY_TOKEN'"), nil, nil, ""},
		{"it names none", failed("1 failed"), withheld, nil, "The command ran without the variables A_TOKEN, MY_TOKEN, SSH_AUTH_SOCK. If it needs one of these variables, name it in [tool.release] pass = [\"NAME\"]\n"},
		{"it names one", failed("KeyError: 'MY_TOKEN'"), withheld, nil, "The command ran without the variable MY_TOKEN. If it needs this variable, set [tool.release] pass = [\"MY_TOKEN\"]\n"},
		{"it is passed another one", failed("KeyError: 'MY_TOKEN'"), withheld, []string{"DB_PASSWORD"}, "The command ran without the variable MY_TOKEN. If it needs this variable, set [tool.release] pass = [\"DB_PASSWORD\", \"MY_TOKEN\"]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w bytes.Buffer
			toolchain.TellWithheld(&w, c.err, c.withheld, c.passed)
			require.Equal(t, c.says, w.String())
		})
	}
}
