// Package e2e tests the compiled magefile as people use it: scripts in testdata/script start it in repositories that
// they bring along. The first paragraph of a script says what it proves.
package e2e
