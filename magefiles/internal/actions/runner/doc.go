// Package runner runs a GitHub Actions workflow file on this machine. It runs the jobs in dependency order, executes their scripts, and gives each
// job only the permissions that the file grants it. It follows GitHub's documentation of the workflow syntax and the source of actions/runner.
// Unsupported features are refused, with their name, file and line.
//
// The package does not talk to a server. Functions of [Config] provide what a job gets from outside: a token, an ID token, an approval. Actions
// named by `uses:` are replaced by stand-ins, which are functions. A run returns a [Result].
//
//	runner.go        the configuration of a runner, and a run of one file
//	event.go         the event that starts a run, and the github context
//	check.go refuses.go checks before anything runs
//	call.go          called workflows
//	flow.go          the jobs of a file, in dependency order
//	leg.go           one leg of a job, from its folders to its outputs
//	step.go shell.go one step: its condition, its script, the files that it writes
//	uses.go          actions: stand-ins, and actions in the repository
//	output.go        commands in a step's output, and the log lines that are stored
//	result.go        the result of a run
//
// Most packages below this one implement one of GitHub's rules: artifact stores the files that jobs pass to each other, dispatch checks the inputs
// of a workflow_dispatch, matrix computes a job's legs, rights computes a token's permissions, turns implements concurrency groups, protocol parses
// the files and lines that steps write for the runner, masks hides secrets, and glob matches file patterns. Package standin has the stand-ins that
// need nothing from outside, machine provides the programs and settings of this machine, and verdict explains why a run failed.
package runner
