package gitclone

// RelativeTo is for tests.
var RelativeTo = relativeTo
