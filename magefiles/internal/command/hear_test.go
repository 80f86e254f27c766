package command_test

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Hear's function gets complete lines with secrets masked. It does not get output that the program parses.
func TestHearGetsLines(t *testing.T) {
	for name, c := range map[string]struct {
		script  string
		answers bool
		want    []string
	}{
		"lines":        {"echo one; sleep 0.2; echo two >&2; sleep 0.2; echo", false, []string{"one", "two"}},
		"written over": {`printf '10%%\r'; sleep 0.2; printf '20%%\r'; sleep 0.2; printf 'done\n'`, false, []string{"10%", "20%", "done"}},
		"in pieces":    {"printf on; sleep 0.2; printf 'e\\n'", false, []string{"one"}},
		"a secret":     {"echo key is the_secret_of_the_test", false, []string{"key is ***"}},
		"an answer":    {"echo 3a8a091; echo note >&2", true, []string{"note"}},
		"no line":      {"printf no", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var heard []string
			s := command.NewSystem([]string{"PATH=" + os.Getenv("PATH")}, []string{"the_secret_of_the_test"})
			s.Hear(func(line string) {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, line)
			})
			do := command.Cmd{Name: "sh", Args: []string{"-c", c.script}, Theirs: true}
			err := error(nil)
			if c.answers {
				_, err = command.Output(t.Context(), s, do)
			} else {
				err = s.Run(t.Context(), do)
			}
			require.NoError(t, err)
			require.Equal(t, c.want, heard)
		})
	}
}
