// Package image takes a downstream to an OCI image in a registry: built, proved, and only then named by tags.
//
// A [Plan] is a value, made by [New] from the downstream's manifest, git, and what the registry holds; it says what will
// be built, for which platforms, under which labels, and which tags would move, and has the definition that
// `docker buildx bake` reads. A [Job] applies a plan in steps, each of which asks the world first:
//
//	registry    it may be pushed to; is an image of this plan there already? then it is not built again
//	packages    every pin is on its channel for every platform, and so is what the environment asks for by name
//	build       by buildx; pushed by digest alone, or kept in a folder of this machine where nothing is to be pushed
//	verify      the index has every platform, each says the revision that was built, attestations are there
//	smoke test  on every platform that the builder can run, the image runs the downstream's check
//	tag         tags move last, only forward, by what the registry holds at that moment
//
// Nothing of a target platform is run while an image is built. Rooms of their own are package registry, which asks and changes registries,
// package buildx, which builds, and package proof, which shows that an image is what it was to be; none of them knows a plan. Here are
//
//	plan.go bake.go mounts.go source.go  a plan, and the definition that is made of it
//	tags.go order.go held.go             which tags an image gets, by what the registry has
//	job.go known.go smoke.go             the steps of a job
//	pushed.go                            an image that was pushed before, held to what a build leaves
//	merge.go                             other lists of steps: single platforms are joined, two builds are compared
//	tagging.go rivals.go                 tags are moved, while other jobs may do so too
//	record.go immutable.go               what a clone remembers: what it built, and which tags a registry keeps
package image
