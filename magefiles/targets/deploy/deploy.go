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

// To deploys an image to an environment. It is the image that was pushed for HEAD, or the image that the environment before this one runs. For
// example: `mage deploy:to staging`, `mage deploy:to production -wait=5m`. Exit statuses: mage help deploy:to.
func (Deploy) To(ctx context.Context, name string,
	digest *string, // digest of an image in the registry, sha256:…
	tag *string, // the image of this tag; default: the image of HEAD
	without *string, // hosts to leave out, separated by commas
	force *string, // reason to ignore the environment before this one; each host records the reason
	wait *time.Duration, // how long to wait for a lock that someone else has
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

// DeployTo does the same as deploy:to, for targets of a magefile. Mage does not take it for a target.
func DeployTo(ctx context.Context, name string, f Flags) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return deployment(ctx, x, name, f, false)
	})
}

// Plan says what runs, and what would run. It does so for each deployment environment, and says why a deployment would be refused. For example: `mage
// deploy:plan`, `mage deploy:plan -json`. Exit statuses: mage help deploy:plan.
func (Deploy) Plan(ctx context.Context,
	env *string, // the deployment environment; default: the only one
	digest *string, // digest of an image in the registry, sha256:…
	tag *string, // the image of this tag; default: the image of HEAD
	without *string, // hosts to leave out, separated by commas
	force *string, // reason to ignore the environment before this one; each host records the reason
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	json *bool, // print one JSON object
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return plan(ctx, x, orZero(env), Flags{Digest: digest, Tag: tag, Without: without, Force: force, Only: only, JSON: json})
	})
}

// Rollback returns to the previous release. Each host of a deployment environment returns to the release before its current one. For example: `mage
// deploy:rollback -env=staging`, `mage deploy:rollback -env=staging -yes`. Exit statuses: mage help deploy:rollback.
func (Deploy) Rollback(ctx context.Context,
	env *string, // the deployment environment; default: the only one
	without *string, // hosts to leave out, separated by commas
	wait *time.Duration, // how long to wait for a lock that someone else has
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return deployment(ctx, x, orZero(env), Flags{Without: without, Wait: wait, Only: only, JSON: json, Yes: yes}, true)
	})
}

// Setup starts the proxy on the hosts. It first shows what it will do on each host. For example: `mage deploy:setup -env=staging`, `mage deploy:setup
// -env=staging -yes`. Exit statuses: mage help deploy:setup.
func (Deploy) Setup(ctx context.Context,
	env *string, // the deployment environment; default: the only one
	without *string, // hosts to leave out, separated by commas
	wait *time.Duration, // how long to wait for a lock that someone else has
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	yes *bool, // do not ask
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return setup(ctx, x, orZero(env), Flags{Without: without, Wait: wait, Only: only, Yes: yes})
	})
}

// Remove removes an environment. It first shows what it will remove on each host. For example: `mage deploy:remove -env=staging`, `mage deploy:remove
// -env=staging -yes`. Exit statuses: mage help deploy:remove.
func (Deploy) Remove(ctx context.Context,
	env *string, // the deployment environment; required
	like *string, // if its table was deleted or renamed: an environment with the same hosts, port and engine
	without *string, // hosts to leave out, separated by commas
	wait *time.Duration, // how long to wait for a lock that someone else has
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	yes *bool, // do not ask
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		return remove(ctx, x, orZero(env), orZero(like), Flags{Without: without, Wait: wait, Only: only, Yes: yes})
	})
}

// Status says what runs on the hosts. It also says what has changed since the last deployment, and who changed it. It fails if a host has trouble.
// For example: `mage deploy:status`, `mage deploy:status -env=staging`. Exit statuses: mage help deploy:status.
func (Deploy) Status(ctx context.Context,
	env *string, // the deployment environment; default: all
	unlock *bool, // remove the lock, whoever has it
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

// Logs prints what the containers write. It shows the containers that get requests, on all hosts. Each line has its host. For example: `mage
// deploy:logs`, `mage deploy:logs -env=staging`. Exit statuses: mage help deploy:logs.
func (Deploy) Logs(ctx context.Context,
	env *string, // the deployment environment; default: the only one
	follow *bool, // print new lines until Ctrl-C
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

// reportedPlan is the JSON form of the results of To and Rollback.
type reportedPlan struct {
	Deployed bool         `json:"deployed"` // false if all hosts were so already
	Plan     *survey.Plan `json:"plan,omitempty"`
}
