// Package condapkg is what a .conda archive says of itself, and the repodata record that a channel makes of it.
//
// A .conda file is a zip of stored entries: metadata.json, pkg-<stem>.tar.zst (the payload) and info-<stem>.tar.zst
// (what the package says of itself), where the stem is name-version-build. [Open] reads one, [Inspect] gives its
// [Record] with its digests, and [Write] makes one whose bytes depend on nothing but its input.
//
// Archives come from elsewhere. Everything is read within bounds (see [Limits]), and an archive with a path that leaves
// its folder, an entry that is not stored, or contents that grow out of proportion is refused with a sentence.
//
// The formats are conda's: CEP 26 for names, CEP 34 and 35 for the files under info/, and what rattler_package_streaming
// and rattler_index read and write where those leave a choice.
package condapkg
