package targets

import (
	"context"
	"fmt"
	"os"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/usage"
)

// Help lists the targets in their groups. With a name, it explains that target, or lists the targets of that namespace. For example: `mage help
// release`, `mage help version`. Exit statuses: mage help help.
func Help(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		program, ok := usage.Running(a.runner, a.runner.Environ())
		if !ok {
			return operr.New("run `mage -l` to list the targets", "this program is not a compiled magefile")
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
	text, err := usage.BeforeMage(os.Args[1:], env, width(), func() (usage.Program, bool) {
		runner := newRunner()
		return usage.Running(runner, runner.Environ())
	})
	if err != nil {
		newView().Annotate(err)
		fmt.Fprintf(os.Stderr, "Error: %+v\n", wrapError(err, "Error: "))
		os.Exit(operr.ExitStatus(err))
	}
	if text != "" {
		fmt.Println(text)
		os.Exit(0)
	}
}
