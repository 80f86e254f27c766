// Package rules holds the test that states what may import what in this repository, with a reason for each rule, and
// that fails for a rule which no longer bites.
package rules
