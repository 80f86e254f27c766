// Package named knows what a package is made of beside its folders, since its manifests name it by a path.
//
//	named.go     files that are read to make it: a readme, licenses, data
//	outside.go   code and data that it packs from elsewhere
package named
