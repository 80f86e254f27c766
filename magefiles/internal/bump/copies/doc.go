// Package copies finds copies of versions in files that no build reads versions from, such as documents and other tools' settings.
//
//	follow.go     updating the files that are listed in [tool.release] copies
//	mentions.go   finding lines that keep an old version
//	whole.go      finding whole versions in a text
package copies
