// Package image builds and verifies a downstream's OCI image, and then tags it in a registry.
//
// [New] makes a [Plan] from the downstream's manifest, git, and the content of the registry. A plan is an immutable value. It describes the build:
// the platforms, the labels, the tags that would move, and the definition for `docker buildx bake`. A [Job] carries out a plan in steps. Each
// step first checks whether it is already done:
//
//	registry    checks that we may push, and skips the build if the registry already has an image of this plan
//	packages    checks that the channels have all pinned and requested packages, for every platform
//	build       builds with buildx; pushes by digest only, or exports to a local folder if nothing is pushed
//	verify      checks that the index has every platform, the right revision for each, and all attestations
//	smoke test  runs the downstream's check in the image, on every platform that the builder can run
//	tag         moves the tags last, and only forward, based on the registry's current content
//
// This process never runs a program of the target platform; the builder does. Three subpackages do not depend on plans: registry reads and
// writes registries, buildx builds images, and proof verifies them. The files in this package:
//
//	plan.go bake.go mounts.go source.go  define a plan and its bake definition
//	tags.go order.go held.go             choose the tags for an image, based on the tags in the registry
//	job.go known.go smoke.go             implement the steps of a job
//	pushed.go                            verifies images that were pushed earlier
//	merge.go                             merges single-platform images, and compares two builds
//	tagging.go rivals.go                 move tags while other jobs may be moving them too
//	record.go immutable.go               record what this clone has built, and which tags the registry refuses to move
package image
