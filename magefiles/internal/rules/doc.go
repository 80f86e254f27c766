// Package rules tests this repository's own rules, such as which packages may import each other and which permissions workflows may have. Several
// tests also fail if an entry in their list of exceptions is no longer needed.
package rules
