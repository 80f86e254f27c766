// Package settings reads what a manifest says to us, and pixi ignores: [tool.release] of a workspace, and [tool.image] of a downstream.
//
//	release.go copies.go branch.go    [tool.release], and the branches that releases are made from
//	pypi.go       [tool.release.pypi]: what stands for a conda package where there is no conda
//	image.go      [tool.image]
package settings
