//go:build mage

// Foopack goes from a version change to packages that people can install; start with `mage rehearse`.
package main

import (
	"github.com/magefile/mage/sh"

	//mage:import
	"github.com/foopack/foopack/magefiles/targets"
)

// Default is what a pull request must pass.
var Default = targets.Check

// Kills kills a release at a hundred random moments, and at ten with the real toolchain, and continues it each time.
func Kills() error {
	return sh.RunV("go", "test", "./magefiles/e2e", "-run=TestReleaseKilledAnywhere", "-kills=100", "-realkills=10", "-v", "-timeout=2h")
}
