// Package file reads the workflow files of GitHub Actions as GitHub does, and says what they start for.
//
// What a file may hold, and which contexts and functions an expression may use at its place, is the schema of actions/languageservices
// (workflow-v1.0.json, as @actions/workflow-parser 0.3.61 has it, under the license beside it). A key, an event, a context or a function that is
// not known is a [Problem] with its line and column, and never passed over. What GitHub knows and nothing here runs is refused by name.
//
//	schema.go    the schema
//	read.go      a file held against the schema, expressions included
//	node.go      values of a file for whoever runs it, and action.yml of a local action
//	scalar.go    what a plain scalar is to GitHub: YAML 1.2 has other numbers than the reader of YAML
//	needs.go     what it needs: machines, actions, secrets, rights
//	workflow.go  what a workflow is: its events, its jobs and their rights
//	trigger.go   which refs and paths its patterns take, and whether a job runs for a tag
//	doubts.go    what in it cannot be meant, or hardly
//	habits.go    what in its jobs is hardly meant, whatever they are for
//	pinned.go    whether an action is pinned as the comment beside it says
//	starts.go    whether it starts for what happens on GitHub, and why not
package file
