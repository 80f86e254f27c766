// Package bump changes versions: the versions of a workspace's packages and all exact pins on them, or a downstream's pins.
//
// A change is first computed as a value:
//
//	plan, err := bump.New(ctx, w, bump.Request{To: "minor"}, history)
//
// A Plan lists the old and new version of each package with the reasons, every edit of every file with its line, and the
// digests of all files that it was computed from. It can be printed, and saved as JSON. After that,
//
//	err = plan.Check(w)             // has anything changed since the plan was made?
//	applied, err := store.Apply(ctx, plan)
//
// changes all files atomically (package atomicfile). If a run is killed in between, store.Recover reverts its changes in the
// next run. Store.Take also commits and tags, and Store.TakeUp completes an unfinished run.
//
// A version or a pin is edited because of the package that it belongs to, never because of its number. The workspace knows which package each
// requirement refers to, and the byte offset of the requirement.
//
//	request.go      the user's request; package target parses the version argument
//	new.go          making a plan from a request
//	target.go auto.go findversion.go    the new versions and the reasons; package commits reads the commits
//	elsewhere.go    copies to update, lines that keep an old version (package copies), and tags that Go would reject
//	write.go changelog.go    making the edits; package edits collects them
//	upgrade.go      a downstream's pins
//	plan.go         the Plan; package message formats the messages of commits and tags
//	trouble.go      problems that prevent a plan from being applied
//	store.go take.go pending.go    applying a plan
//	made.go         whether an earlier commit was a bump; package released finds the last releases
//
// Git is accessed through the small interfaces History and Repo, which the targets implement.
package bump
