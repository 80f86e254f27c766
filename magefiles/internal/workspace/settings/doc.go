// Package settings reads what a manifest says to us, and pixi ignores: [tool.release] of a workspace, and [tool.image] of a downstream.
//
//	release.go copies.go branch.go    [tool.release], and the branches that releases are made from
//	actions.go    [tool.release.actions]: what stands for actions in a rehearsal
//	pypi.go       [tool.release.pypi]: what stands for a conda package where there is no conda
//	image.go      [tool.image]
//	misspelt.go   tables that are called almost as ours
//	owned.go      files that other tools write
package settings
