// Package named finds files outside a package's folders that belong to the package because its manifests refer to them by path.
//
//	named.go     files that the build reads: a readme, licenses, data
//	outside.go   code and data outside its folders that the package packs
package named
