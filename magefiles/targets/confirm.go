package targets

import (
	"bufio"
	"context"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// confirm asks the user before anything external is changed. Without a terminal, it returns an error unless yes is set.
func (a *pipeline) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return operr.NewStopped("add -yes, which answers this question with yes: "+question, "nothing was changed: %w", operr.ErrNobody).WithWayOn()
	}
	defer a.view.Ask(question + " [y/N] ")()
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil { // end of input means no, and the cursor is still on the question's line
			a.view.Say("")
		}
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		a.view.Say("") // ends the question's line
		return context.Cause(ctx)
	case said := <-answer:
		if said == "y" || said == "yes" {
			return nil
		}
		return operr.NewDeclined("not done")
	}
}
