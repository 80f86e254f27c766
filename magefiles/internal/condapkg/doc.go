// Package condapkg reads and writes .conda archives, and computes their repodata records.
//
// A .conda file is a zip with uncompressed entries: metadata.json, pkg-<stem>.tar.zst (the payload) and info-<stem>.tar.zst (the package's metadata),
// where the stem is name-version-build. [Open] opens an archive, [Inspect] returns its [Record], and [Write] writes an archive reproducibly.
//
// Archives are untrusted. Reading is bounded (see [Limits]), and fails if a path leaves its folder, a zip entry is compressed, or the compression
// ratio is excessive.
//
// The formats are specified in CEP 26 (names) and in CEP 34 and 35 (files under info/). Where these are ambiguous, this package follows
// rattler_package_streaming and rattler_index.
package condapkg
