package targets

import (
	"context"
	"fmt"
	"os"
	"time"

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

// sayFirst says what to do next, where a person is shown the list of the targets.
func sayFirst() {
	if !usage.AsksForList(env) {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	if a, err := newPipeline(); err == nil {
		a.view.Say("→ %s", a.doctor().First(ctx))
	}
}

// readCommandLine ends a compiled magefile whose command line is wrong, or asks for one target's help, before Mage reads it.
func readCommandLine() {
	text, err := usage.BeforeMage(os.Args[1:], env, width(), func() (usage.Program, bool) {
		runner := newRunner()
		return usage.Running(runner, runner.Environ())
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "Error: %+v\n", fitted(err, "Error: "))
		os.Exit(operr.ExitStatus(err))
	}
	if text != "" {
		fmt.Println(text)
		os.Exit(0)
	}
}
