package targets

import (
	"context"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/releasepr"
)

// Publish uploads and verifies, as CI does. It builds what is missing, uploads it in dependency order, waits until every index shows it, and verifies
// it. For example: `mage publish -check`, `mage publish -from=output`.
func Publish(ctx context.Context,
	force *bool, // replace files that have other bytes on the channel, which has to allow that
	yes *bool, // do not ask
	json *bool, // print one JSON object
	wait *time.Duration, // how long the index may lag behind, such as 5m; default 10m
	from *string, // upload exactly what build:all has made in this folder: nothing is built, installed or imported
	digests *string, // what that build said it made; in a CI, the output of its job
	check *bool, // install and import what is in the folder of -from, and send nothing
	announce *bool, // make the GitHub release of the tag that started the job, with the files of -from: nothing is built, installed or imported
	verify *bool, // see what is on the channel: visible, downloaded, compared, installed, imported; send nothing
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		f := publishing.Flags{Force: isSet(force), From: orZero(from), Digests: orZero(digests), Check: isSet(check), Verify: isSet(verify)}
		if err := f.Fit(); err != nil {
			return err
		}
		if digests != nil && f.Digests == "" { // else nothing would be compared
			return operr.NewUsage("see what hands them over: on GitHub, ${{ needs.build.outputs.digests }}, where `needs` names that job", "-digests is empty")
		}
		if isSet(announce) {
			return answer(a, isSet(json), func() (releasepr.Result, error) { return a.proposer(true).Announce(ctx, f) }, func(releasepr.Result) {})
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
		var p *publishing.Publication
		return answer(a, isSet(json), func() (result any, err error) {
			if p, err = publishing.New(ctx, c, f); err != nil {
				return nil, err
			}
			err = p.Run(ctx)
			return p.Result(), err
		}, func(any) { p.Show() })
	})
}
