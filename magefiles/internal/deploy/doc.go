// Package deploy deploys an image digest to the hosts of a deployment environment, all or none, and rolls it back.
//
// Decisions are based on the hosts' actual state, namely the image of the running container that receives requests, and never on a record. Package
// survey queries the hosts and makes a plan. After the user has confirmed the plan, a session carries it out in steps, each of which checks on the
// hosts whether it is already done. If a host fails, all changed hosts return to a container that has been checked to be healthy.
//
//	deployer.go    defines a deployment's inputs
//	apply.go       implements the steps, the lock, and a host's record
//	groups.go      rolls out to the canary and batches, with pauses in between
//	containers.go  starts the new container, stops the old one, and prunes releases
//	gate.go        checks that the new container becomes and remains healthy
//	secrets.go     provides a release's secrets
//	back.go        reverts a deployment
//	run.go         runs a deployment, from the confirmation to the end
//	setup.go       sets up the proxy on each host
//	remove.go      removes an environment
//	logs.go        prints the containers' logs
package deploy
