package gitclone

// RelativeTo exports relativeTo for tests.
var RelativeTo = relativeTo
