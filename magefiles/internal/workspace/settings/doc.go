// Package settings reads the tables that we define in manifests and that pixi ignores: [tool.release] of a workspace, and [tool.image]
// of a downstream.
//
//	release.go copies.go branch.go    [tool.release], and the branches from which releases are made
//	actions.go    [tool.release.actions]: stand-ins for actions in a rehearsal
//	pypi.go       [tool.release.pypi]: stand-ins for conda packages on machines without conda
//	image.go      [tool.image]
//	misspelt.go   rejects tables with a misspelled name
//	owned.go      files that are written by other tools
package settings
