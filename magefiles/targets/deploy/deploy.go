// Package deploy has the targets that bring an image to hosts. A magefile imports it by choice, beside package targets:
//
//	//mage:import
//	"github.com/foopack/foopack/magefiles/targets/deploy"
package deploy

import (
	"context"
	"time"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/targets"
)

// Deploy brings images to hosts, to all of a deployment environment or to none, and back.
type Deploy mg.Namespace

// To deploys an image to an environment. It is the one that was pushed for HEAD, or that the environment before it runs. For example: `mage deploy:to
// staging`, `mage deploy:to production -wait=5m`.
func (Deploy) To(ctx context.Context, name string,
	digest *string, // this image of the registry, sha256:…
	tag *string, // the image of this tag; default: the one of HEAD
	without *string, // hosts that are left as they are, with commas between
	force *string, // why the environment that this one is after does not count; each host keeps it
	wait *time.Duration, // how long to wait for a lock that somebody else has
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return DeployTo(ctx, name, Flags{Digest: digest, Tag: tag, Without: without, Force: force, Wait: wait, Only: only, JSON: json, Yes: yes})
}

// Flags are the flags of Deploy.To, for a magefile's own targets that name an environment (see DeployTo).
type Flags struct {
	Digest, Tag, Without *string
	Force                *string
	Wait                 *time.Duration
	Only                 *string
	JSON, Yes            *bool
}

// DeployTo is deploy:to for a magefile's own targets. It is no target itself.
func DeployTo(ctx context.Context, name string, f Flags) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return deployment(ctx, x, name, f, false)
	})
}

// Plan says what runs, and what would. It says that for each deployment environment, and why one could not be deployed. For example: `mage
// deploy:plan`, `mage deploy:plan -json`.
func (Deploy) Plan(ctx context.Context,
	env *string, // the deployment environment; default: the only one
	digest *string, // this image of the registry, sha256:…
	tag *string, // the image of this tag; default: the one of HEAD
	without *string, // hosts that are left as they are, with commas between
	force *string, // why the environment that this one is after does not count; each host keeps it
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	json *bool, // print one JSON object
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return plan(ctx, x, orZero(env), Flags{Digest: digest, Tag: tag, Without: without, Force: force, Only: only, JSON: json})
	})
}

// Rollback goes back to the release before. Each host of a deployment environment goes back from the one that it has. For example: `mage
// deploy:rollback -env=staging`, `mage deploy:rollback -env=staging -yes`.
func (Deploy) Rollback(ctx context.Context,
	env *string, // the deployment environment; default: the only one
	without *string, // hosts that are left as they are, with commas between
	wait *time.Duration, // how long to wait for a lock that somebody else has
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return deployment(ctx, x, orZero(env), Flags{Without: without, Wait: wait, Only: only, JSON: json, Yes: yes}, true)
	})
}

// Setup starts the proxy on the hosts. It shows first what it will do there. For example: `mage deploy:setup -env=staging`, `mage deploy:setup
// -env=staging -yes`.
func (Deploy) Setup(ctx context.Context,
	env *string, // the deployment environment; default: the only one
	without *string, // hosts that are left as they are, with commas between
	wait *time.Duration, // how long to wait for a lock that somebody else has
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	yes *bool, // do not ask
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return setup(ctx, x, orZero(env), Flags{Without: without, Wait: wait, Only: only, Yes: yes})
	})
}

// Remove takes an environment away. It shows first what goes on its hosts. For example: `mage deploy:remove -env=staging`, `mage deploy:remove
// -env=staging -yes`.
func (Deploy) Remove(ctx context.Context,
	env *string, // the deployment environment; it is always named
	like *string, // an environment whose hosts, port and engine it had, where its table is gone or has another name by now
	without *string, // hosts that are left as they are, with commas between
	wait *time.Duration, // how long to wait for a lock that somebody else has
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	yes *bool, // do not ask
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return remove(ctx, x, orZero(env), orZero(like), Flags{Without: without, Wait: wait, Only: only, Yes: yes})
	})
}

// Status says what runs on the hosts. It says what is not as it was left there, and who changed it. For example: `mage deploy:status`, `mage
// deploy:status -env=staging`.
func (Deploy) Status(ctx context.Context,
	env *string, // the deployment environment; default: all
	unlock *bool, // take the lock away from whoever has it
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		f := Flags{Only: only, JSON: json, Yes: yes}
		if unlock != nil && *unlock {
			if err := unlockAll(ctx, x, orZero(env), f); err != nil || !orZero(json) {
				return err
			}
		}
		return status(ctx, x, orZero(env), f)
	})
}

// Logs prints what the containers write. These are the ones that requests go to, of all hosts, each line with its host. For example: `mage
// deploy:logs`, `mage deploy:logs -env=staging`.
func (Deploy) Logs(ctx context.Context,
	env *string, // the deployment environment; default: the only one
	follow *bool, // go on until it is interrupted
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return logs(ctx, x, orZero(env), follow != nil && *follow, Flags{Only: only})
	})
}

func orZero[T any](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}

// reportedPlan is what To and Rollback print with -json.
type reportedPlan struct {
	Deployed bool         `json:"deployed"` // false: all hosts were so already
	Plan     *survey.Plan `json:"plan,omitempty"`
}
