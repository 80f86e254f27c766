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

// appToken replaces actions/create-github-app-token. It returns a GitHub App token with the requested permissions, or with all permissions if none
// are requested, which may be more than the App has. The App itself is not involved.
func appToken(_ context.Context, c *runner.Call) error {
	if c.Input("client-id", c.Input("app-id", "")) == "" || c.Input("private-key", "") == "" {
		return errors.New("client-id and private-key are required (a variable or a secret that does not exist is empty)")
	}
	if c.AppToken == nil {
		return errors.New("a token of this App cannot be made here, because this run has no GitHub")
	}
	asked := map[string]string{}
	for name, level := range c.With {
		if right, is := strings.CutPrefix(name, "permission-"); is && level != "" {
			asked[right] = level
		}
	}
	if len(asked) == 0 {
		asked = rights.Of(file.Permissions{"*": "write"}, nil)
		c.Doubt(c.Problem("", "the token gets all permissions of the App: request only the permissions that the job needs, such as `permission-contents: write`"))
	}
	token, err := c.AppToken(asked)
	if err != nil {
		return err
	}
	fmt.Fprintf(c, "::add-mask::%s\n", token)
	c.Output("token", token)
	c.Output("app-slug", "rehearsal")
	c.Say("made a token of the App")
	return nil
}
