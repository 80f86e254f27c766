// Package usage checks a command line before Mage parses it. If any part is invalid, no target runs, and the error shows the correct form. Mage
// itself parses a command line while it runs the targets.
//
// Our own targets are in a table, so a valid command line with only these targets starts no process. If a magefile imports our targets under another
// name, or has other targets with these names, Mage may still refuse a line that the table accepts, with its own error.
//
// Only a compiled magefile knows all of its targets, including the user's own. This package runs it with `-l` to list the targets, and with `-h
// TARGET` to get a target's arguments and flags. The magefile needs no code for this.
//
//	ours.go     the table, targets.txt
//	program.go  the targets of a compiled magefile, from its -l and -h
//	read.go     which command lines are wrong, and the right form of each
//	help.go     the target `help`: all targets in their groups, or one target
package usage
