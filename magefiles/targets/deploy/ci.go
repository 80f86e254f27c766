package deploy

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/delivery"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// byCI is an environment to which the CI deploys. A delivery waits for that deployment.
type byCI struct {
	stage
	ci   delivery.CI
	tell func(pause.Progress)
}

// Deploy waits until all hosts run the image.
func (s byCI) Deploy(ctx context.Context, image survey.Image) error {
	return delivery.Await(ctx, s.ci, image.Revision, "the CI's deployment to "+s.Name(), s.tell, func(ctx context.Context) (bool, error) {
		all, _, err := s.Runs(ctx, image)
		return all, err
	})
}

// isByCI reports whether the CI deploys to an environment, seen from a machine that is not a CI's itself.
func isByCI(e config.Environment, run string) bool { return e.By == config.CI && run == "" }
