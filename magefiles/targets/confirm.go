package targets

import (
	"bufio"
	"context"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// confirm asks before something outside is changed. Without a terminal there is no one to ask, and without -yes it stops.
func (a *pipeline) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return operr.NewStopped("add -yes to do it without being asked, which says yes to: "+question, "nothing was changed: there is no terminal to ask at, and no -yes").WithWayOn()
	}
	defer a.view.Ask(question + " [y/N] ")()
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil { // the end of the input is a no, which nobody has ended a line with
			a.view.Say("")
		}
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		a.view.Say("") // the question's line has no end yet
		return context.Cause(ctx)
	case said := <-answer:
		if said == "y" || said == "yes" {
			return nil
		}
		return operr.NewDeclined("not done")
	}
}
