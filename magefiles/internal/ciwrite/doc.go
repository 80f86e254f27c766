// Package ciwrite writes the workflow files of a repository for GitHub: ci.yml, release.yml, release-pr.yml where releases land by pull requests, one for
// each image, and deploy.yml. What is in them follows from the manifests alone.
//
// Each file has the digest of what was written in its first line, by which a file that a person has changed is told from one that has fallen behind.
// The commits of actions, and the digests of images, are no part of it, so that a bot may raise them.
//
//	plan.go     which files there are, and how each stands ([Plan])
//	facts.go    what a workspace says of its jobs
//	names.go    names of files, and what stands in one as it is meant: YAML, shell, patterns
//	digest.go   the first line, and the pins
//	write.go    what the target does and shows ([Write])
//	diff.go     what a person has changed
//	templates/  the files; package pins has the commits of actions
package ciwrite
