// Package ciwrite generates a repository's GitHub workflow files: ci.yml, release.yml, release-pr.yml if releases land by pull requests, one file
// for each image, and deploy.yml. Their content depends only on the manifests.
//
// The first line of each file has a digest of the generated text. It distinguishes a file that the user has edited from one that is out of date.
// Pinned action commits and image digests are excluded from the digest, so that a bot may update them.
//
//	plan.go     which files are needed, and the state of each ([Plan])
//	facts.go    the template values, collected from a workspace
//	names.go    file names, and quoting for YAML, shells and patterns
//	digest.go   the first line, and the pins
//	write.go    writes the files, and prints what was done ([Write])
//	diff.go     the diff between a file and the generated text
//	templates/  the templates; package pins has the action commits
package ciwrite
