//go:build mage

// Foopack goes from a version change to packages that people can install; start with `mage rehearse`.
package main

import (
	//mage:import
	"github.com/foopack/foopack/magefiles/targets"
)

// Default is what a pull request must pass.
var Default = targets.Check
