package delivery

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// defineImage returns the step that ensures that the registry has the commit's image.
func (d *Delivery) defineImage(p *Plan, pushed given[Commit]) workflow.Step[survey.Image] {
	return workflow.Step[survey.Image]{
		Name: stepImage,
		Check: func(ctx context.Context, recorded *survey.Image) (survey.Image, bool, error) {
			image, there, err := d.Find(ctx, pushed.Get().Hash)
			if err == nil && there && recorded != nil && recorded.Digest != image.Digest { // environments may already run the recorded image
				err = operr.NewStopped("run `mage deliver -undo`; the next delivery takes the image that the tag names now",
					"the image's tag changed during this delivery: expected the image %s of commit %s, found the image %s", short(hash(recorded.Digest)), short(pushed.Get().Hash), short(hash(image.Digest)))
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

// build builds the image from the checked-out commit on this machine, and pushes it.
func (d *Delivery) build(ctx context.Context, commit string) (survey.Image, error) {
	head, err := d.Repo.Resolve(ctx, "HEAD")
	if err == nil && head != commit {
		err = operr.NewStopped("run `git switch --detach "+short(commit)+"`, and then `mage deliver`",
			"the image must be built from the commit %s, but the commit %s is checked out", short(commit), short(head))
	}
	if err == nil {
		err = d.Build(ctx, commit)
	}
	if err != nil {
		return survey.Image{}, err
	}
	image, there, err := d.Find(ctx, commit)
	if err == nil && !there {
		err = operr.New("compare the tags in the registry with the tags that `mage docker:plan` shows", "the image of commit %s was pushed, but the registry does not have this image", short(commit))
	}
	return image, err
}

// wait waits until a CI has built the image.
func (d *Delivery) wait(ctx context.Context, commit string) (image survey.Image, err error) {
	if d.CI == nil {
		return image, operr.NewStopped("set `publish = \"ci\"` in [tool.image] again, or run `mage deliver -undo`: the next delivery builds the image on this machine",
			"this delivery waits for a CI to build the image of commit %s, but [tool.image] now says that this machine builds the image", short(commit))
	}
	err = Await(ctx, d.CI, commit, "the image of "+short(commit), d.Tell, func(ctx context.Context) (there bool, err error) {
		image, there, err = d.Find(ctx, commit)
		return there, err
	})
	return image, err
}
