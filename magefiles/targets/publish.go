package targets

import (
	"context"
	"time"

	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/releasepr"
)

// Publish uploads and verifies, as CI does. It builds missing packages, uploads them in dependency order, waits until every index shows them, and
// verifies them. For example: `mage publish -check`, `mage publish -from=output`. Exit statuses: mage help publish.
func Publish(ctx context.Context,
	force *bool, // replace files that have other bytes on the channel, if the channel allows that
	yes *bool, // do not ask
	json *bool, // print one JSON object
	wait *time.Duration, // how long to wait until the index shows an upload, such as 5m; default: 10m
	from *string, // a folder with the packages of build:all: upload exactly these; nothing is built, installed or imported
	digests *string, // digests that the build of these packages reported; in a CI, an output of its job
	check *bool, // install and import the packages in the folder of -from, and send nothing
	announce *bool, // create the GitHub release of the tag that started the job, with the files of -from; nothing is built, installed or imported
	verify *bool, // verify the packages on the channel: find, download, compare, install and import them; send nothing
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		f := publishing.Flags{Force: isSet(force), From: orZero(from), Digests: orZero(digests), Check: isSet(check), Verify: isSet(verify)}
		f.NoDigests = digests != nil && f.Digests == ""
		if err := f.Fit(); err != nil {
			return err
		}
		if isSet(announce) {
			return answer(a, isSet(json), func() (releasepr.Result, error) { return a.proposer(true).Announce(ctx, f) }, func(r releasepr.Result) { a.next(ctx, r.Next()) })
		}
		if a.uploads = f.Sends(); a.uploads {
			a.channels.ToPublish()
		}
		w, err := a.workspace()
		if err != nil {
			return err
		}
		c := a.publishing(w)
		c.Wait = pause.Wait{For: orZero(wait), Tell: a.view.Waiting}
		c.Confirm = func(ctx context.Context, question string) error { return a.confirm(ctx, isSet(yes), question) }
		c.Yes, c.GivenUp = isSet(yes), a.releaser(false).GivenUp
		var p *publishing.Publication
		return answer(a, isSet(json), func() (result any, err error) {
			if p, err = publishing.New(ctx, c, f); err != nil {
				return nil, err
			}
			err = p.Run(ctx)
			return p.Result(), err
		}, func(any) {
			p.Show()
			a.next(ctx, p.Next())
		})
	})
}
