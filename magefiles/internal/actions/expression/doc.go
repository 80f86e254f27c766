// Package expression evaluates the expressions of GitHub Actions as GitHub does: what stands between `${{` and `}}` in a workflow file, and after
// `if:`.
//
// What an expression may hold, and what it gives, is GitHub's documentation of expressions and contexts, and the public conformance data of
// actions/languageservices. An expression is parsed with the names that its place allows, and every problem that does not depend on a value is an
// [Error] with its place then. Nothing that it is given makes it panic, and both the depth of an expression and the text that it makes have limits.
//
//	value.go      values, and how they are compared and written
//	lex.go        tokens
//	parse.go      what is allowed where, and the tree
//	paths.go      what it asks contexts for
//	eval.go       what the tree gives
//	functions.go  the functions that are allowed everywhere
//	template.go   text with expressions in it, and conditions
package expression
