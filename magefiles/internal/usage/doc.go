// Package usage looks at a command line before Mage does, so that one that is wrong is refused whole: nothing runs, and the sentence says
// what the right form is. Mage itself reads a command line while it carries it out.
//
// A command line that is right, and of targets of ours alone, costs nothing: a table says what they take, and nobody is asked. Where a magefile imports
// ours under a name of its own, or has others of these names, Mage may find wrong what the table calls right, and says so in its own words.
//
// A compiled magefile is the only one that knows all of its targets, those of a person's own too. It is asked as a person would: `-l` lists
// them, `-h TARGET` says what one takes. Nothing of it has to be written into a magefile.
//
//	ours.go     the table, targets.txt
//	program.go  what a compiled magefile says of its targets
//	read.go     which command lines are wrong, and the right form of each
//	help.go     the target `help`: the targets in their groups, or one of them
package usage
