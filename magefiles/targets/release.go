package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/releasepr"
)

// Release plans, builds, tags and publishes. It makes a new version of the packages that people can install, or continues an unfinished release. For
// example: `mage release -to=minor`, `mage release`. Exit statuses: mage help release.
func Release(ctx context.Context,
	to *string, // patch, minor, major, auto (from the commits), a, b, rc, dev, post, or a version; without -to, the unfinished release is continued
	only *string, // one package, if the versions are independent
	ranges *string, // raise: raise ranges that would not admit the new version
	publish *string, // here or ci, instead of [tool.release] publish
	pr *bool, // propose the release by a pull request, and do nothing else; `mage release` continues once it is merged
	tag *string, // with -pr, in a job: tag this merged and checked commit, push the tag, and start release.yml at the tag
	yes *bool, // do not ask
	json *bool, // print one JSON object
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		req, err := bumpFlags{to: to, only: only, ranges: ranges}.request()
		if err != nil {
			return err
		}
		if isSet(pr) || tag != nil {
			asked := releasepr.Asked{Request: req, PR: isSet(pr), Publish: publish, Tag: tag}
			return answer(a, isSet(json), func() (releasepr.Result, error) { return a.proposer(isSet(yes)).Do(ctx, asked) }, func(r releasepr.Result) { a.next(ctx, r.Next()) })
		}
		r := a.releaser(isSet(yes))
		return answer(a, isSet(json), func() (release.Result, error) {
			return r.Run(ctx, req, orZero(publish))
		}, func(result release.Result) { r.Show(ctx, result) })
	})
}
