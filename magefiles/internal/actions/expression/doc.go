// Package expression evaluates the expressions of GitHub Actions as GitHub does: the text between `${{` and `}}` in a workflow file, and after `if:`.
//
// It follows GitHub's documentation of expressions and contexts, and the public conformance data of actions/languageservices. An expression is parsed
// with the names that its place allows. Parsing reports every problem that does not depend on a value, as an [Error] with its place. No input makes
// the package panic, and both the depth of an expression and the text that it makes have limits.
//
//	value.go      values, and how they are compared and written
//	lex.go        tokens
//	parse.go      the names that are allowed, and the tree
//	paths.go      the values that an expression takes from contexts
//	eval.go       the value of a tree
//	functions.go  the functions that are allowed everywhere
//	template.go   text with expressions in it, and conditions
package expression
