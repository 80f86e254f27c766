// Package file parses GitHub Actions workflow files as GitHub does, and determines which events trigger them.
//
// The schema of actions/languageservices defines what a file may contain, and which contexts and functions each expression may use
// (workflow-v1.0.json, as in @actions/workflow-parser 0.3.61, with its license). Keys, events, contexts and functions that are not in the schema are
// never ignored: each is a [Problem] with its line and column. Features that GitHub has but that cannot be run here are refused by name.
//
//	schema.go    the schema
//	read.go      validates a file against the schema, including its expressions
//	node.go      the values of a file, and action.yml of a local action
//	scalar.go    the type of a plain scalar: GitHub uses YAML 1.2, whose numbers differ from our YAML parser's
//	needs.go     what a workflow needs: machines, actions, secrets, permissions
//	workflow.go  a workflow: its events, its jobs and their permissions
//	trigger.go   which refs and paths its patterns match, and whether a job runs for a tag
//	doubts.go    mistakes, and parts that are rarely intended
//	habits.go    parts of jobs that are rarely intended, whatever the jobs do
//	pinned.go    whether an action's commit matches the version in its comment
//	starts.go    whether a workflow starts for an event on GitHub, and why not
package file
