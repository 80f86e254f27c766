// Package copies knows where a version stands in files that nobody reads it from: documents, settings of other tools, images.
//
//	follow.go     the files that [tool.release] copies names, whose copies follow a bump
//	mentions.go   lines that go on having an old version
//	whole.go      where in a text a version stands by itself
package copies
