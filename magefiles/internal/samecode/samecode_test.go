package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// write writes files into a new temporary folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

// at returns a list of packages with their folder changed.
func at(packages []listed, from, to string) (moved []listed) {
	for _, p := range packages {
		p.Dir = to + strings.TrimPrefix(p.Dir, from)
		moved = append(moved, p)
	}
	return moved
}

// Each row makes one change to the tree, possibly in several places.
func TestFindings(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "tree.txtar"))
	require.NoError(t, err)
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	old := write(t, files)
	packages, err := list(old)
	require.NoError(t, err)
	require.Len(t, packages, 5)
	exports, err := exportData(old, packages)
	require.NoError(t, err)

	const steps = "steps/steps.go"
	for name, c := range map[string]struct {
		in   string
		swap []string // alternating old and new texts
		want string   // text of the only failure; "" if there is none
		says string   // other output

		follow bool
	}{
		"a comment":                          {in: steps, swap: []string{"where it lies it says so. What is said is what it is", "it reports why"}},
		"an additional comment":              {in: steps, swap: []string{"\tcount := 0\n", "\t// count counts.\n\tcount := 0\n"}},
		"an error":                           {in: steps, swap: []string{"%q stands before %d: %w", "step %q is before %d: %w", "say -to=", "pass -to="}, says: "2 texts reworded"},
		"errors.New":                         {in: steps, swap: []string{"it lies there", "it is there"}, says: "1 texts reworded"},
		"fmt.Errorf":                         {in: steps, swap: []string{"removing %s", "cannot remove %s"}, says: "1 texts reworded"},
		"a literal of an error":              {in: steps, swap: []string{"mend it", "fix it"}, says: "1 texts reworded"},
		"a view's text":                      {in: steps, swap: []string{"it is \" + args[0] + \" and no other", "it is only \" + args[0] + \""}, says: "1 texts reworded"},
		"a text of a view's interface":       {in: steps, swap: []string{"%d words of %s", "%d words in %s"}, says: "1 texts reworded"},
		"a text in two halves":               {in: steps, swap: []string{"\"it lies there\"", "\"it \" +\n\t\"lies there\""}},
		"a function":                         {in: steps, swap: []string{"known", "subtract"}, says: "example.org/m/steps.known became subtract"},
		"an exported type":                   {in: steps, swap: []string{"Sayer", "Speaker"}, says: "example.org/m/steps.Sayer became Speaker"},
		"a variable":                         {in: steps, swap: []string{"count", "total"}, says: "1 names changed"},
		"a field with a tag":                 {in: steps, swap: []string{"Name  string", "Title string", "s.Name", "s.Title", "Name: stepName", "Title: stepName"}},
		"a method and its interface":         {in: steps, swap: []string{"Told", "Describe"}},
		"a name of t.Run, and a test's":      {in: "steps/steps_test.go", swap: []string{"TestStands", "TestIs", "\"it stands\"", "\"it is\""}, says: "1 texts reworded"},
		"what a test expects":                {in: "steps/steps_test.go", swap: []string{"it stands before", "step is before"}, says: "steps/steps_test.go:7: \"it stands before\" became \"step is before\""},
		"what a golden file expects":         {in: "steps/testdata/golden.txt", swap: []string{"it stands", "it is"}, says: "steps/testdata/golden.txt:1: \"it stands\" became \"it is\""},
		"what a test of Python expects":      {in: "tests/test_a.py", swap: []string{"it stands", "it is", "it_stands", "it_is"}, says: "tests/test_a.py:2: \"it stands\" became \"it is\""},
		"comments of a workflow":             {in: "a.yml", swap: []string{"somebody pushes", "someone pushes", "it stands here", "it is here"}},
		"comments of a template":             {in: "a.tmpl", swap: []string{"# somebody", "# someone", "# it lies", "# it is", "it stands", "it is"}},
		"a comment of TOML":                  {in: "a.toml", swap: []string{"stands", "is"}},
		"comments of a shell":                {in: "a.sh", swap: []string{"stands", "is", "# it lies", "# it is"}},
		"a comment of CSS":                   {in: "a.css", swap: []string{"stands", "is"}},
		"a comment of JavaScript":            {in: "a.js", swap: []string{"lies", "is"}},
		"docstrings and texts of Python":     {in: "a.py", swap: []string{"It stands", "It is", "It lies", "It is", "stands \" + \"there", "is\" + \" there", "it lies in", "it is in"}},
		"Markdown":                           {in: "README.md", swap: []string{"stands", "is"}},
		"two verbs":                          {in: steps, swap: []string{"%q stands before %d", "%d stands before %q"}, want: "other verbs"},
		"two verbs with numbers":             {in: steps, swap: []string{"%q stands before %d: %w", "%[2]d stands after %[1]q: %[3]w"}, want: "allow: verbs in another order"},
		"a missing verb":                     {in: steps, swap: []string{"%s is no %s", "%s is no"}, want: "other verbs"},
		"a flag":                             {in: steps, swap: []string{"\"-force\" ||", "\"-again\" ||"}, want: "another literal"},
		"a step's name":                      {in: steps, swap: []string{"push the tag", "send the tag"}, want: "allow: a text that is not an argument"},
		"a variable with a text":             {in: steps, swap: []string{"in place of", "instead of"}, want: "allow: a text that is not an argument"},
		"a variable, followed":               {in: steps, swap: []string{"in place of", "instead of"}, says: "texts that end as arguments: 1", follow: true},
		"a parameter, followed":              {in: steps, swap: []string{"it stands here", "it is here"}, says: "texts that end as arguments: 1", follow: true},
		"a field, followed":                  {in: steps, swap: []string{"it is the last", "this is the last"}, says: "texts that end as arguments: 1", follow: true},
		"what is compared, followed":         {in: steps, swap: []string{"mark: \"the last one", "mark: \"the first one"}, want: "allow: a text that is not an argument", follow: true},
		"what JSON may have, followed":       {in: steps, swap: []string{"a plain one", "a simple one"}, want: "allow: a text that is not an argument", follow: true},
		"a step's name, followed":            {in: steps, swap: []string{"push the tag", "send the tag"}, want: "allow: a text that is not an argument", follow: true},
		"a word of a command":                {in: steps, swap: []string{"\"minor\"", "\"major\""}, want: "another literal"},
		"a number":                           {in: steps, swap: []string{"count := 0", "count := 1"}, want: "0 became 1"},
		"a tag":                              {in: steps, swap: []string{"json:\"name\"", "json:\"title\""}, want: "the tag"},
		"a regular expression":               {in: steps, swap: []string{"^v\\d+ $", "^v\\d* $"}, want: "another literal"},
		"an operator":                        {in: steps, swap: []string{"a - b", "a + b"}, want: "- became +"},
		"a missing statement":                {in: steps, swap: []string{"\t\tcount = x\n", "\t\t_ = x\n"}, want: "became"},
		"a statement dropped":                {in: steps, swap: []string{"\tif _, ok := any(s).(teller); ok {\n\t\treturn errLies\n\t}\n", ""}, want: "became"},
		"an argument for another":            {in: steps, swap: []string{"known(first, second)", "known(second, first)"}, want: "became"},
		"a variable in one place":            {in: steps, swap: []string{"any(count)", "any(first)"}, want: "count became first"},
		"another function of the same":       {in: steps, swap: []string{"os.Remove", "os.RemoveAll"}, want: "RemoveAll"},
		"two declarations":                   {in: steps, swap: []string{"\tfirst  = 1\n\tsecond = 2\n", "\tsecond = 2\n\tfirst  = 1\n"}, want: "became"},
		"a directive dropped":                {in: steps, swap: []string{"//go:noinline\n", ""}, want: "the directives"},
		"a directive elsewhere":              {in: steps, swap: []string{"//go:noinline\n", "", "// Run runs it", "//go:noinline\n// Run runs it"}, want: "the directives"},
		"a build constraint":                 {in: "steps/steps_other.go", swap: []string{"windows", "plan9"}, want: "the directives"},
		"a name in a file of others":         {in: "steps/steps_other.go", swap: []string{"known(", "subtract("}, want: "known became subtract"},
		"a method of other modules":          {in: steps, swap: []string{"Close()", "End()"}, want: "satisfies"},
		"a method without its interface":     {in: steps, swap: []string{"(s *Step) Told", "(s *Step) Describe"}, want: "satisfies"},
		"a field without a tag":              {in: steps, swap: []string{"Plain", "Text"}, want: "allow: field Plain"},
		"a target":                           {in: "targets/targets.go", swap: []string{"func Show", "func Tell"}, want: "users write this name on the command line"},
		"a flag of a target":                 {in: "targets/targets.go", swap: []string{"json *bool", "text *bool"}, want: "users write this name on the command line"},
		"a test that is not a test any more": {in: "steps/steps_test.go", swap: []string{"TestStands", "Stands"}, want: "only one of these functions is a test"},
		"a YAML value":                       {in: "a.yml", swap: []string{"on: push", "on: pull_request"}, want: "more than comments differ"},
		"a command of a workflow":            {in: "a.yml", swap: []string{"echo 'a'", "echo 'b'"}, want: "more than comments differ"},
		"a comment that a program reads":     {in: "a.yml", swap: []string{"# v1.2", "# v1.3"}, want: "comments that programs read"},
		"a template's key":                   {in: "a.tmpl", swap: []string{"on: push", "on: pull_request"}, want: "more than comments differ"},
		"a TOML value":                       {in: "a.toml", swap: []string{"\"a\"", "\"b\""}, want: "more than comments differ"},
		"a word of a shell":                  {in: "a.sh", swap: []string{"a # b", "a # c"}, want: "more than comments differ"},
		"a color":                            {in: "a.css", swap: []string{"red", "blue"}, want: "more than comments differ"},
		"a text of JavaScript":               {in: "a.js", swap: []string{"// b", "// c"}, want: "more than comments differ"},
		"a constant of Python":               {in: "a.py", swap: []string{"a b", "a c"}, want: "the code differs"},
		"a value in an error of Python":      {in: "a.py", swap: []string{"{x} stands", "x stands"}, want: "the code differs"},
		"a comment that Python's tools use":  {in: "a.py", swap: []string{"noqa: X", "noqa: Y"}, want: "comments that programs read"},
		"JSON":                               {in: "data.json", swap: []string{"stands", "is"}, want: "more than comments differ"},
		"a description in JSON":              {in: "data.json", swap: []string{"lies", "is"}, says: "data.json:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			changed, ch := maps.Clone(files), []change{{old: c.in, new: c.in, status: "M"}}
			for i := 0; i < len(c.swap); i += 2 {
				require.Contains(t, changed[c.in], c.swap[i])
				changed[c.in] = strings.ReplaceAll(changed[c.in], c.swap[i], c.swap[i+1])
			}
			if c.swap[0] == "known" { // a rename applies to all files
				changed["steps/steps_other.go"] = strings.ReplaceAll(files["steps/steps_other.go"], "known", "subtract")
			}
			dir := write(t, changed)
			found, err := compare([]string{old, dir}, [2][]listed{packages, at(packages, old, dir)}, exports, ch)
			require.NoError(t, err)
			if c.follow {
				found.followTexts()
			}
			var out bytes.Buffer
			failures := found.print(&out, nil)
			require.Contains(t, out.String(), c.says)
			if c.want == "" {
				require.Zero(t, failures, out.String())
				return
			}
			require.Positive(t, failures, out.String())
			require.Contains(t, out.String(), c.want)
			var allowed []string
			for _, f := range found.found {
				allowed = append(allowed, f.says)
			}
			left := found.print(&out, allowed)
			require.Equal(t, !strings.HasPrefix(c.want, "allow: "), left > 0, "-allow accepts exactly the differences that begin with allow:")
		})
	}
}

func TestCommits(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "tree.txtar"))
	require.NoError(t, err)
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	dir := write(t, files)
	git := func(argv ...string) {
		t.Helper()
		_, err := output(dir, nil, append([]string{"git", "-c", "user.name=a", "-c", "user.email=a@example.org"}, argv...)...)
		require.NoError(t, err)
	}
	git("init", "-q")
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	compared := func(before, after string) string {
		t.Helper()
		c, err := compareCommits(dir, before, after)
		require.NoError(t, err)
		var out bytes.Buffer
		c.print(&out, nil)
		return out.String()
	}
	require.Equal(t, "7 files of Go, 0 texts reworded, 0 names changed, 0 expected texts changed, 0 differences allowed, 0 failures\n", compared("HEAD", ""))

	git("mv", "a.toml", "b.toml")
	git("mv", "steps/steps.go", "steps/moved.go")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "new.md"), nil, 0o644))
	git("add", "-A")
	require.Contains(t, compared("HEAD", ""), " 0 failures")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "new.go"), []byte("package m\n"), 0o644))
	require.NoError(t, os.Chmod(filepath.Join(dir, "a.sh"), 0o755))
	git("add", "-A")
	git("commit", "-q", "-m", "two")
	require.Contains(t, compared("HEAD~1", "HEAD"), "failures: 2\n\ta.sh: the mode of the file changed: 100644 100755\n\tnew.go: the file is in only one of the two trees\n")

	drawn := func(seed uint64) string {
		t.Helper()
		var out bytes.Buffer
		require.NoError(t, draw(&out, dir, seed, 3, 2))
		return out.String()
	}
	require.Equal(t, drawn(1), drawn(1))
	require.NotEqual(t, drawn(1), drawn(2))
	require.Contains(t, drawn(1), "## 3 of 10 comments, seed 1\n")
	require.Contains(t, drawn(1), "## 2 of 5 errors, seed 1\n")
}
