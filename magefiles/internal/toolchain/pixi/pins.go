package pixi

import "fmt"

// Version is the version of pixi that Fetch downloads. Development, CI and images should all use it, because an older pixi may not be able to
// read a newer one's lock file.
const Version = "0.77.0"

// DefaultDownloads is the URL of pixi's releases.
const DefaultDownloads = "https://github.com/prefix-dev/pixi/releases/download"

// oldest is the oldest pixi version whose `publish` supports the flags that Build passes, and `publish = true`.
var oldest = [2]int{0, 70}

// Pin is the archive for one platform.
type Pin struct{ Archive, SHA256 string }

// pins lists the archives of Version by conda subdir. A wrong digest can only make a download fail. Replace all of them when changing the
// version. The .sha256 files in the release only prove that a download is complete, so compare the digests with those that another project has
// pinned for the same version.
var pins = map[string]Pin{
	"linux-64": {
		Archive: "pixi-x86_64-unknown-linux-musl.tar.gz",
		SHA256:  "bff2f77ef23178f0c73c7ddbc90ca57c68f8b75a5bd85ce8e7404f33b32852d5",
	},
	"linux-aarch64": {
		Archive: "pixi-aarch64-unknown-linux-musl.tar.gz",
		SHA256:  "aef3e420bc27a62a1b546890c0846ff2bb08496fba93b1ea5f20cd131be371e9",
	},
	"osx-arm64": {
		Archive: "pixi-aarch64-apple-darwin.tar.gz",
		SHA256:  "38d3ba48f9c380dd6826750eec0d764d13993514dcd1afce4e3f0d3c9cabc3f6",
	},
	"osx-64": {
		Archive: "pixi-x86_64-apple-darwin.tar.gz",
		SHA256:  "519b99560af96f1f4a3c57f175bea7c43fa43b558130ea1b2fef28e26353d4b5",
	},
}

// address returns the URL of the archive on a download server.
func (p Pin) address(downloads string) string {
	return fmt.Sprintf("%s/v%s/%s", downloads, Version, p.Archive)
}
