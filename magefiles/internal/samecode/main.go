// Samecode verifies that a change to texts and comments changes nothing else:
//
//	go run ./magefiles/internal/samecode [-allow=FILE] [-follow] OLD [NEW]
//	go run ./magefiles/internal/samecode -seed=1 [-comments=200] [-errors=60]
//
// The first form compares two commits, or a commit with the current tracked files. Comments and Markdown may differ. An identifier may be renamed
// if it is renamed everywhere. Arguments of operr, fmt.Errorf, errors.New, package view and t.Run may be reworded if their formatting verbs stay
// the same. Changed texts in tests are listed for review. Any other difference is a failure, and the exit status is 1. A failure that begins with
// "allow:" may be allowed by a person, who copies its text into the file of -allow. With -follow, a text may also be reworded if it reaches such
// arguments only through variables, fields, functions and parameters.
//
// The second form prints a random sample of comments and errors for review. The seed determines the sample.
//
//	main.go    the command line and the output
//	trees.go   checks out a commit, and loads its Go packages with their types
//	golang.go  compares two syntax trees, node by node
//	texts.go   decides which texts may differ, and compares their verbs
//	flow.go    follows texts through variables, fields and functions to the calls that use them
//	names.go   checks the effects of renaming an identifier
//	files.go   compares files in other languages
//	draw.go    prints a random sample of comments and errors
package main

import (
	"flag"
	"fmt"
	"go/ast"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	allow := flag.String("allow", "", "file with the differences that a person allowed, one per line, exactly as they were printed")
	follow := flag.Bool("follow", false, "accept a changed text if every value that it flows into is an argument whose words may change")
	seed := flag.Uint64("seed", 0, "print a random sample of comments and errors, drawn with this seed")
	comments := flag.Int("comments", 200, "with -seed: how many comments")
	errors := flag.Int("errors", 60, "with -seed: how many errors")
	flag.Parse()
	if *seed != 0 {
		end(draw(os.Stdout, ".", *seed, *comments, *errors))
		return
	}
	if flag.NArg() < 1 || flag.NArg() > 2 {
		fmt.Fprintln(os.Stderr, "samecode: name one or two commits: samecode OLD [NEW]")
		os.Exit(2)
	}
	c, err := compareCommits(".", flag.Arg(0), flag.Arg(1))
	end(err)
	allowed := ""
	if *allow != "" {
		text, err := os.ReadFile(*allow)
		end(err)
		allowed = string(text)
	}
	if *follow {
		c.followTexts()
	}
	if failures := c.print(os.Stdout, strings.Split(allowed, "\n")); failures > 0 {
		os.Exit(1)
	}
}

// end exits the program if err is not nil.
func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "samecode:", err)
		os.Exit(1)
	}
}

// compareCommits compares two commits of a repository. If after is "", it compares the current tracked files.
func compareCommits(repo, before, after string) (c *comparison, err error) {
	scratch, err := os.MkdirTemp("", "samecode-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	if after == "" {
		if after, err = output(repo, nil, "git", "stash", "create"); err != nil {
			return nil, err
		}
		if after = strings.TrimSpace(after); after == "" {
			after = "HEAD"
		}
	}
	dirs := []string{filepath.Join(scratch, "old"), filepath.Join(scratch, "new")}
	lists := [2][]listed{}
	for i, commit := range []string{before, after} {
		if err := checkout(repo, commit, dirs[i]); err != nil {
			return nil, err
		}
		if lists[i], err = list(dirs[i]); err != nil {
			return nil, err
		}
	}
	changed, err := changes(repo, before, after)
	if err != nil {
		return nil, err
	}
	exports, err := exportData(dirs[1], slices.Concat(lists[0], lists[1]))
	if err != nil {
		return nil, err
	}
	return compare(dirs, lists, exports, changed)
}

// compare compares two folders. `lists` has their packages, and `changed` has the files that differ.
func compare(dirs []string, lists [2][]listed, exports map[string]string, changed []change) (*comparison, error) {
	c := newComparison(exports)
	var err error
	if c.old, err = c.load(dirs[0], lists[0]); err != nil {
		return nil, err
	}
	if c.new, err = c.load(dirs[1], lists[1]); err != nil {
		return nil, err
	}
	for _, ch := range changed {
		c.moved[ch.old] = ch.new
	}
	for _, path := range sortedKeys(c.old.files) {
		if b := c.new.files[c.now(path)]; b != nil {
			c.goFile(c.old.files[path], b)
		}
	}
	c.checkUntypedNames()
	c.renames()
	return c, c.compareOthers(changed)
}

// followTexts removes the findings about texts that are used only as arguments that may be reworded.
func (c *comparison) followTexts() {
	texts := map[ast.Node]bool{}
	for _, f := range c.found {
		if f.text != nil {
			texts[f.text] = true
		}
	}
	flows := c.follow(texts)
	c.found = slices.DeleteFunc(c.found, func(f finding) bool {
		proven := f.text != nil && flows.isProven(f.text)
		if proven {
			c.followed = append(c.followed, f.at+": "+f.says)
		}
		return proven
	})
}

// print prints the findings, and returns the number of failures.
func (c *comparison) print(w io.Writer, allowed []string) (failures int) {
	section := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(w, "%s: %d\n\t%s\n", title, len(lines), strings.Join(lines, "\n\t"))
		}
	}
	var wrong, decided []string
	for _, f := range c.found {
		if f.decide && slices.Contains(allowed, f.says) {
			decided = append(decided, f.says)
			continue
		}
		wrong = append(wrong, f.at+": "+f.says)
	}
	section("renamed", c.renamed)
	section("texts that end as arguments", c.followed)
	section("expected texts that changed", c.expected)
	section("differences that were allowed", decided)
	section("failures", wrong)
	fmt.Fprintf(w, "%d files of Go, %d texts reworded, %d names changed, %d expected texts changed, %d differences allowed, %d failures\n",
		len(c.old.files), c.reworded, len(c.renamed)+c.locals, len(c.expected), len(decided), len(wrong))
	return len(wrong)
}
