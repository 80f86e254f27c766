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

// Kills kills releases at random moments. It kills a hundred releases, and ten with the real toolchain, and continues each of them. For example:
// `mage kills`, `mage -v kills`. Exit statuses: mage help kills.
func Kills() error {
	return sh.RunV("go", "test", "./magefiles/e2e", "-run=TestReleaseKilledAtRandom", "-kills=100", "-realkills=10", "-v", "-timeout=2h")
}

// Fleet deploys under load and faults. The hosts are real, get a hundred thousand requests, and fail in many ways. The deployment is killed at fifty
// random moments. For example: `mage fleet`, `mage -v fleet`. Exit statuses: mage help fleet.
func Fleet() error {
	if err := sh.RunV("go", "test", "./magefiles/internal/deploy", "-run=^$", "-bench=Switch", "-benchtime=10x", "-timeout=1h"); err != nil {
		return err
	}
	return sh.RunV("go", "test", "./magefiles/e2e", "-run=^(TestFleet|TestDeployments.*)$", "-fleet", "-fleetrequests=16700", "-fleetkills=50", "-deploykills=50",
		"-count=1", "-v", "-timeout=4h")
}

// Docker names the images of this repository.
type Docker mg.Namespace

// App builds the application's image. It also proves the image; -push publishes the image. For example: `mage docker:app`, `mage docker:app -push`.
// Exit statuses: mage help docker:app.
func (Docker) App(ctx context.Context,
	push *bool, // push the built images, and move their tags
	load *bool, // load the built images into this machine's docker engine
	platform *string, // only these platforms, separated by commas; with this flag, -push pushes by digest, for docker:merge
	tag *string, // these tags, separated by commas, instead of the tags of the version
	again *bool, // build again even if this clone has built the image before
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return targets.BuildImage(ctx, "myapp", targets.ImageFlags{Push: push, Load: load, Platform: platform, Tag: tag, Again: again, JSON: json, Yes: yes})
}

// Runtime builds the image of the packages. The image has nothing else, and is proved, too; -push publishes the image. For example: `mage
// docker:runtime`, `mage docker:runtime -push`. Exit statuses: mage help docker:runtime.
func (Docker) Runtime(ctx context.Context,
	push *bool, // push the built images, and move their tags
	load *bool, // load the built images into this machine's docker engine
	platform *string, // only these platforms, separated by commas; with this flag, -push pushes by digest, for docker:merge
	tag *string, // these tags, separated by commas, instead of the tags of the version
	again *bool, // build again even if this clone has built the image before
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return targets.BuildImage(ctx, "foopack-runtime", targets.ImageFlags{Push: push, Load: load, Platform: platform, Tag: tag, Again: again, JSON: json, Yes: yes})
}

// Deploy names the deployment environments of this repository.
type Deploy mg.Namespace

// Staging deploys the image of HEAD. It is the image that was pushed for HEAD, unless you pass -tag or -digest. For example: `mage deploy:staging`,
// `mage deploy:staging -tag=0.2.0`. Exit statuses: mage help deploy:staging.
func (Deploy) Staging(ctx context.Context,
	digest *string, // digest of an image in the registry, sha256:…
	tag *string, // the image of this tag; default: the image of HEAD
	without *string, // hosts to leave out, separated by commas
	wait *time.Duration, // how long to wait for a lock that someone else has
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return deploy.DeployTo(ctx, "staging", deploy.Flags{Digest: digest, Tag: tag, Without: without, Wait: wait, JSON: json, Yes: yes})
}

// Production deploys what staging runs. If you pass another image, it is refused unless -force gives a reason. For example: `mage deploy:production`,
// `mage deploy:production -without=one.example.org`. Exit statuses: mage help deploy:production.
func (Deploy) Production(ctx context.Context,
	digest *string, // digest of an image in the registry, sha256:…
	tag *string, // the image of this tag; default: what staging runs
	without *string, // hosts to leave out, separated by commas
	force *string, // reason to ignore the environment before this one; each host records the reason
	wait *time.Duration, // how long to wait for a lock that someone else has
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return deploy.DeployTo(ctx, "production", deploy.Flags{Digest: digest, Tag: tag, Without: without, Force: force, Wait: wait, JSON: json, Yes: yes})
}
