package delivery

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// defineImage has the image of the commit in the registry.
func (d *Delivery) defineImage(p *Plan, pushed given[Commit]) workflow.Step[survey.Image] {
	return workflow.Step[survey.Image]{
		Name: stepImage,
		Check: func(ctx context.Context, recorded *survey.Image) (survey.Image, bool, error) {
			image, there, err := d.Find(ctx, pushed.Get().Hash)
			if err == nil && there && recorded != nil && recorded.Digest != image.Digest { // environments may have the one that it was
				err = operr.NewStopped("`mage deliver -undo` takes this delivery back; the next one begins with the image that is there now",
					"this delivery began with the image %s of %s, and its tag names %s by now", short(hash(recorded.Digest)), short(pushed.Get().Hash), short(hash(image.Digest)))
			}
			return image, there, err
		},
		Do: func(ctx context.Context) (survey.Image, error) {
			if p.CI {
				return d.wait(ctx, pushed.Get().Hash)
			}
			return d.build(ctx, pushed.Get().Hash)
		},
		Say: survey.Image.Ref,
	}
}

// build makes the image here, of the commit that is checked out.
func (d *Delivery) build(ctx context.Context, commit string) (survey.Image, error) {
	head, err := d.Repo.Resolve(ctx, "HEAD")
	if err == nil && head != commit {
		err = operr.NewStopped("`git switch --detach "+short(commit)+"`, and `mage deliver` goes on",
			"the image of %s is to be made, and %s is checked out", short(commit), short(head))
	}
	if err == nil {
		err = d.Build(ctx, commit)
	}
	if err != nil {
		return survey.Image{}, err
	}
	image, there, err := d.Find(ctx, commit)
	if err == nil && !there {
		err = operr.New("see `mage docker:plan`", "the image of %s was pushed, and the registry does not have it", short(commit))
	}
	return image, err
}

// wait waits for the image that a CI makes.
func (d *Delivery) wait(ctx context.Context, commit string) (image survey.Image, err error) {
	if d.CI == nil {
		return image, operr.NewStopped("`mage deliver -undo` takes this delivery back, and the next one makes the image here; or put the setting back",
			"this delivery began with a CI that makes the image of %s, and by now [tool.image] has it made here", short(commit))
	}
	err = Await(ctx, d.CI, commit, "the image of "+short(commit), d.Tell, func(ctx context.Context) (there bool, err error) {
		image, there, err = d.Find(ctx, commit)
		return there, err
	})
	return image, err
}
