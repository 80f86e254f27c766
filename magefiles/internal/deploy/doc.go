// Package deploy brings one digest of an application to the hosts of a deployment environment, to all of them or to none, and back.
//
// What a host is asked decides: the image of the container that runs and that requests go to, never what was recorded of it. A plan is made of
// that, a person agrees to it, and a session carries it out in steps, each of which asks the hosts whether it is done. Where a host fails, all that
// have changed go back, to a container that was asked whether it is well. Package survey does the asking, and makes the plan.
//
//	deployer.go    what a deployment works with
//	apply.go       the steps, the lock, and what is remembered
//	groups.go      canary and batches, and the pause between them
//	containers.go  the new container is started, the old one is stopped, and what is not kept is removed
//	gate.go        is the new container well, and does it stay so
//	secrets.go     secrets of a release
//	back.go        the way back
//	run.go         a deployment from its question to its end
//	setup.go       the proxy on each host
//	remove.go      an environment is taken away
//	logs.go        what containers write
package deploy
