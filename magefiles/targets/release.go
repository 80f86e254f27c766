package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/releasepr"
)

// Release plans, builds, tags and publishes. It takes the packages from a version to what people can install, and goes on with a release that is
// unfinished. For example: `mage release -to=minor`, `mage release`.
func Release(ctx context.Context,
	to *string, // patch, minor, major, auto (from the commits), a, b, rc, dev, post, or a version; none goes on with the unfinished one
	only *string, // one package, where versions are independent
	ranges *string, // raise: raise ranges that would not admit the new version
	publish *string, // here or ci, in place of [tool.release] publish
	pr *bool, // propose it by a pull request, and do no more; `mage release` goes on once it is merged
	tag *string, // with -pr, in a job: tag this commit, which has landed and was checked, push the tag, and have release.yml run at it
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
			return answer(a, isSet(json), func() (releasepr.Result, error) { return a.proposer(isSet(yes)).Do(ctx, asked) }, func(releasepr.Result) {})
		}
		r := a.releaser(isSet(yes))
		return answer(a, isSet(json), func() (release.Result, error) {
			return r.Run(ctx, req, orZero(publish))
		}, func(result release.Result) { r.Show(ctx, result) })
	})
}
