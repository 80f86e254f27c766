// Package e2e tests the compiled magefile. Many tests are scripts in testdata/script. Each script contains the repositories in which it runs the
// magefile, and its first paragraph describes what it tests.
package e2e
