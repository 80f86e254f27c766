// Package bump changes versions: of the packages of a workspace and of every exact pin on them, or of a downstream's pins.
//
// A change is first a value:
//
//	plan, err := bump.New(ctx, w, bump.Request{To: "minor"}, history)
//
// A Plan says for each package from which version it moves to which, and why; for each file each edit, with its line; and
// the digests of all files that it was computed from. It can be printed, and kept as JSON. Then
//
//	err = plan.Check(w)             // is everything as it was when the plan was made?
//	applied, err := store.Apply(plan)
//
// changes all files as one (package atomicfile): whoever is killed on the way is taken back by store.Recover in the next
// run. Store.Commit and Store.Tag do the rest, and take up what an earlier run has left undone.
//
// What is edited is known by whose it is, never by the number that it shows: the workspace says which requirement means
// which package, and where its bytes are.
//
//	request.go      what is asked for
//	new.go          the way from that to a plan
//	target.go auto.go findversion.go    where the packages go, and why; package commits knows what was committed
//	elsewhere.go    copies that follow, lines that go on having an old version (package copies knows them), and tags that Go would refuse
//	write.go changelog.go    what has to be written for that; package edits collects it
//	upgrade.go      a downstream's pins
//	plan.go         the value; package message has what commit and tags say
//	trouble.go      what keeps it from being carried out
//	store.go take.go pending.go    what is done with it
//	made.go         what a commit of the past has done; package released knows the last releases
//
// What is asked of git are the small interfaces History and Repo, which the targets fill.
package bump
