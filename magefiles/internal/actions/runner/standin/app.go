package standin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
)

// appToken is actions/create-github-app-token: a token of a GitHub App with the permissions that the step asks for. Of the App itself nothing is asked here.
func appToken(_ context.Context, c *runner.Call) error {
	if c.Input("client-id", c.Input("app-id", "")) == "" || c.Input("private-key", "") == "" {
		return errors.New("client-id and private-key are required (a variable or a secret that is not there is empty)")
	}
	if c.AppToken == nil {
		return errors.New("there is no GitHub here that would know the App")
	}
	rights := map[string]string{}
	for name, level := range c.With {
		if right, is := strings.CutPrefix(name, "permission-"); is {
			rights[right] = level
		}
	}
	token, err := c.AppToken(rights)
	if err != nil {
		return err
	}
	fmt.Fprintf(c, "::add-mask::%s\n", token)
	c.Output("token", token)
	c.Output("app-slug", "rehearsal")
	c.Say("the App has given a token")
	return nil
}
