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

// Kills kills releases at random moments. It kills a hundred, and ten with the real toolchain, and continues each time. For example: `mage kills`,
// `mage -v kills`.
func Kills() error {
	return sh.RunV("go", "test", "./magefiles/e2e", "-run=TestReleaseKilledAnywhere", "-kills=100", "-realkills=10", "-v", "-timeout=2h")
}

// Fleet deploys under load and faults. It deploys to real hosts under a hundred thousand requests, with all that may go wrong, and is killed at fifty
// random moments. For example: `mage fleet`, `mage -v fleet`.
func Fleet() error {
	if err := sh.RunV("go", "test", "./magefiles/internal/deploy", "-run=^$", "-bench=Switch", "-benchtime=10x", "-timeout=1h"); err != nil {
		return err
	}
	return sh.RunV("go", "test", "./magefiles/e2e", "-run=^(TestFleet|TestDeployments.*)$", "-fleet", "-fleetrequests=16700", "-fleetkills=50", "-deploykills=50",
		"-count=1", "-v", "-timeout=4h")
}

// Docker names the images of this repository.
type Docker mg.Namespace

// App builds the application's image. The image is proved, too; with -push it is published. For example: `mage docker:app`, `mage docker:app -push`.
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

// Runtime builds the image of the packages. It has only them, and is proved, too; with -push it is published. For example: `mage docker:runtime`,
// `mage docker:runtime -push`.
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

// Staging deploys the image of HEAD. It is the one that was pushed for HEAD, unless another one is named. For example: `mage deploy:staging`, `mage
// deploy:staging -tag=0.2.0`.
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

// Production deploys what staging runs. Another image that is named is refused unless -force says why. For example: `mage deploy:production`, `mage
// deploy:production -without=one.example.org`.
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
