package gitrepo

// RelativeTo is for tests.
var RelativeTo = relativeTo
