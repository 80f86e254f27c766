// Package runner runs a workflow file of GitHub Actions on this machine: its jobs in their order, its scripts for real, each job with what the file
// grants it and nothing else. GitHub's documentation of the workflow syntax and the source of actions/runner say what is to happen; what is not done
// here stops with its name, its file and its line.
//
// It knows no server. What a job is given from outside (a token for its grant, an ID token, an approval) comes from functions of [Config], and what an
// action does that stands behind `uses:` is a stand-in, a function by the action's name. What came of a run is a value, [Result].
//
//	runner.go        what a runner is told, and a run of one file
//	event.go         what starts a run, and what expressions know of it
//	check.go refuses.go what is refused before anything runs
//	call.go          workflows that are called
//	flow.go          the jobs of a file, in the order of their needs
//	leg.go           one leg of a job, from its folders to its outputs
//	step.go shell.go one step: its condition, its script, what it leaves in files
//	uses.go          actions: stand-ins, and those of the repository
//	output.go        what a step's output asks for, and what is kept of it
//	result.go        what came of a run
//
// Packages below it have one rule of GitHub's each: artifact what jobs hand to each other, dispatch the inputs of a workflow_dispatch, matrix the legs of a job, rights what a token may do, turns concurrency groups, protocol what steps
// write for the runner, masks secrets that are hidden, glob patterns of files; standin has the stand-ins that need nothing from outside, machine what a job gets of this machine, and verdict says why a run failed.
package runner
