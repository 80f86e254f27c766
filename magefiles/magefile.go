//go:build mage

// Foopack goes from a version change to packages that people can install; start with `mage rehearse`.
package main

import (
	"context"
	"time"

	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"

	//mage:import
	"github.com/foopack/foopack/magefiles/targets"
	//mage:import
	"github.com/foopack/foopack/magefiles/targets/deploy"
)

// Default is what a pull request must pass.
var Default = targets.Check

// Kills kills a release at a hundred random moments, and at ten with the real toolchain, and continues it each time.
func Kills() error {
	return sh.RunV("go", "test", "./magefiles/e2e", "-run=TestReleaseKilledAnywhere", "-kills=100", "-realkills=10", "-v", "-timeout=2h")
}

// Fleet deploys to hosts, for longer than tests do: real ones under a hundred thousand requests, with all that may go wrong, and killed at fifty
// random moments.
func Fleet() error {
	if err := sh.RunV("go", "test", "./magefiles/internal/deploy", "-run=^$", "-bench=Switch", "-benchtime=10x", "-timeout=1h"); err != nil {
		return err
	}
	return sh.RunV("go", "test", "./magefiles/e2e", "-run=^(TestFleet|TestDeployments.*)$", "-fleet", "-fleetrequests=16700", "-fleetkills=50", "-deploykills=50",
		"-count=1", "-v", "-timeout=4h")
}

// Docker names the images of this repository.
type Docker mg.Namespace

// App builds and proves the application's image; with -push it is published.
func (Docker) App(ctx context.Context,
	push *bool, // push what was built, and move its tags
	load *bool, // put what was built into this machine's docker engine
	platform *string, // these platforms alone, with commas between; with -push by digest, for docker:merge
	tag *string, // these tags, with commas between, in place of those of the version
	again *bool, // build also what this clone has built before
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return targets.BuildImage(ctx, "myapp", targets.ImageFlags{Push: push, Load: load, Platform: platform, Tag: tag, Again: again, JSON: json, Yes: yes})
}

// Runtime builds and proves the image that has only the packages; with -push it is published.
func (Docker) Runtime(ctx context.Context,
	push *bool, // push what was built, and move its tags
	load *bool, // put what was built into this machine's docker engine
	platform *string, // these platforms alone, with commas between; with -push by digest, for docker:merge
	tag *string, // these tags, with commas between, in place of those of the version
	again *bool, // build also what this clone has built before
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return targets.BuildImage(ctx, "foopack-runtime", targets.ImageFlags{Push: push, Load: load, Platform: platform, Tag: tag, Again: again, JSON: json, Yes: yes})
}

// Deploy names the deployment environments of this repository.
type Deploy mg.Namespace

// Staging deploys the application's image to staging: the one that was pushed for HEAD, unless another one is named.
func (Deploy) Staging(ctx context.Context,
	digest *string, // this image of the registry, sha256:…
	tag *string, // the image of this tag; default: the one of HEAD
	without *string, // hosts that are left as they are, with commas between
	wait *time.Duration, // how long to wait for a lock that somebody else has
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return deploy.DeployTo(ctx, "staging", deploy.Flags{Digest: digest, Tag: tag, Without: without, Wait: wait, JSON: json, Yes: yes})
}

// Production deploys to production what staging runs; another image that is named is refused unless -force says why.
func (Deploy) Production(ctx context.Context,
	digest *string, // this image of the registry, sha256:…
	tag *string, // the image of this tag; default: what staging runs
	without *string, // hosts that are left as they are, with commas between
	force *string, // why the environment that this one is after does not count; each host keeps it
	wait *time.Duration, // how long to wait for a lock that somebody else has
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return deploy.DeployTo(ctx, "production", deploy.Flags{Digest: digest, Tag: tag, Without: without, Force: force, Wait: wait, JSON: json, Yes: yes})
}
