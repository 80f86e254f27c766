package targets

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/usage"
)

// Help lists the targets in their groups. With a name behind it it explains one target, or lists a namespace. For example: `mage help release`, `mage
// help version`.
func Help(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		program, ok := usage.Running(a.runner, a.runner.Environ())
		if !ok {
			return operr.New("`mage -l` lists the targets", "this program is no compiled magefile")
		}
		text, err := program.Help(ctx, width())
		if err == nil {
			a.view.Line("%s", text)
		}
		return err
	})
}

// readCommandLine ends a compiled magefile whose command line is wrong, or asks for one target's help, before Mage reads it.
func readCommandLine() {
	runner := newRunner()
	program, ok := usage.Running(runner, runner.Environ())
	if !ok || usage.AsksMage(env) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	text, err := program.Read(ctx, os.Args[1:], width())
	if err != nil {
		said := fmt.Sprintf("Error: %+v", plain(err))
		if terminal(os.Stderr) {
			said = columns.Wrap(said, width(), 2)
		}
		fmt.Fprintln(os.Stderr, said)
		os.Exit(operr.ExitStatus(err))
	}
	if text != "" {
		fmt.Println(text)
		os.Exit(0)
	}
}
