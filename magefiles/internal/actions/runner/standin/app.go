package standin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
)

// appToken is actions/create-github-app-token: a token of a GitHub App with the permissions that the step asks for, or with all where it asks for none, which may
// be more than the App has. Of the App itself nothing is asked here.
func appToken(_ context.Context, c *runner.Call) error {
	if c.Input("client-id", c.Input("app-id", "")) == "" || c.Input("private-key", "") == "" {
		return errors.New("client-id and private-key are required (a variable or a secret that is not there is empty)")
	}
	if c.AppToken == nil {
		return errors.New("there is no GitHub here that would know the App")
	}
	asked := map[string]string{}
	for name, level := range c.With {
		if right, is := strings.CutPrefix(name, "permission-"); is && level != "" {
			asked[right] = level
		}
	}
	if len(asked) == 0 {
		asked = rights.Of(file.Permissions{"*": "write"}, nil)
		c.Doubt(c.Problem("", "the token may do all that the App may: ask for what the job does by it, such as permission-contents: write"))
	}
	token, err := c.AppToken(asked)
	if err != nil {
		return err
	}
	fmt.Fprintf(c, "::add-mask::%s\n", token)
	c.Output("token", token)
	c.Output("app-slug", "rehearsal")
	c.Say("the App has given a token")
	return nil
}
