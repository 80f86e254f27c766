package annotation_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/annotation"
)

// checkout returns a Lookup for the given files. It finds a file by its full path, by the end of its path, or by its path below /checkout.
func checkout(files ...string) annotation.Lookup {
	return func(path string) (string, bool) {
		path = strings.TrimPrefix(path, "/checkout/")
		for _, file := range files {
			if file == path || strings.HasSuffix(file, "/"+path) {
				return file, true
			}
		}
		return "", false
	}
}

// Failures in the real output of tools (ruff 0.17, mypy 2, pytest 9, go 1.26) are found with their files and lines.
func TestFind(t *testing.T) {
	const tests = "packages/core/tests/test_x.py"
	python := []annotation.Annotation{
		{File: tests, Line: 5, Title: "test_fails", Message: "assert 1 > 3"},
		{File: tests, Line: 14, Title: "test_message", Message: "ValueError: two\nlines"},
		{File: tests, Line: 19, Title: "TestC.test_in_class", Message: "AssertionError: said\nassert {'a': 1} == {'a': 2}\n\n  Differing items:\n  {'a': 1} != {'a': 2}\n  Use -v to get more diff"},
	}
	for name, want := range map[string][]annotation.Annotation{
		"ruff":         {{File: tests, Line: 1, Column: 8, Message: "F401 [*] `os` imported but unused"}},
		"ruff-concise": {{File: tests, Line: 1, Column: 8, Message: "F401 [*] `os` imported but unused"}},
		"ruff-format":  {{File: "packages/core/y.py", Line: 1, Column: 3, Message: "unformatted: File would be reformatted"}},
		"mypy": {
			{File: tests, Line: 6, Message: `Incompatible return value type (got "int", expected "str")  [return-value]`},
			{File: tests, Line: 9, Message: "Function is missing a return type annotation  [no-untyped-def]"},
			{File: tests, Line: 13, Message: "Function is missing a return type annotation  [no-untyped-def]"},
			{File: tests, Line: 18, Message: "Function is missing a return type annotation  [no-untyped-def]"},
		},
		"pytest":       python,
		"pytest-short": python,
		"pytest-collecting": {{
			File:    "packages/core/tests/test_z.py",
			Line:    1,
			Title:   "ERROR collecting packages/core/tests/test_z.py",
			Message: "File \"/checkout/packages/core/tests/test_z.py\", line 1\n  def f(:\n        ^\nSyntaxError: invalid syntax",
		}},
		"gotest": {
			{File: "a/a.go", Line: 3, Column: 44, Message: "too many return values"},
			{File: "a/b/b_test.go", Line: 3, Title: "TestA", Message: "got 1"},
			{File: "a/b/b_test.go", Line: 3, Title: "TestA/sub", Message: "two\nlines"},
			{File: "a/b/b_test.go", Line: 4, Title: "TestP", Message: "panic: runtime error: invalid memory address or nil pointer dereference [recovered, repanicked]"},
		},
		"govet": {{File: "a/a.go", Line: 3, Column: 44, Message: "too many return values"}},
	} {
		t.Run(name, func(t *testing.T) {
			output, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
			require.NoError(t, err)
			find := checkout(tests, "packages/core/tests/test_z.py", "packages/core/y.py", "a/a.go", "a/b/b_test.go")
			require.Equal(t, want, annotation.Find(string(output), find))
			require.Empty(t, annotation.Find(string(output), checkout("other.py")), "what is none of the checkout's is left out")
		})
	}
}

// Failed assertions are found; log lines of the test are not. If two packages have files with the same name, the package name decides.
func TestFindTestify(t *testing.T) {
	const output = "--- FAIL: TestA (0.1s)\n" +
		"    a_test.go:10: deploy: 0.4s\n" +
		"    a_test.go:20: \n        \tError Trace:\t/checkout/b/a_test.go:20\n        \t            \t\t\t/checkout/b/a_test.go:30\n" +
		"        \tError:      \tShould be true\n        \tTest:       \tTestA\n" +
		"    a_test.go:40: the end\nFAIL\nFAIL\texample.org/long/module/b\t0.2s\nFAIL\n"
	require.Equal(t, []annotation.Annotation{{File: "b/a_test.go", Line: 20, Title: "TestA", Message: "Should be true"}},
		annotation.Find(output, checkout("b/a_test.go")))
}

// Text that is not a failure is ignored, and no output makes Find panic.
func TestFindNothing(t *testing.T) {
	all := func(path string) (string, bool) { return path, true }
	for _, output := range []string{
		"", "\n\n", "12:30: on time", "see https://example.org:80/x.py", "x.py:12: note: see there", "x.sh:3:4: style: quote it [SC2086]", "x.py:12:", " --> x.py",
		"___ test ___", "___ test ___\nE   one\n", "--- FAIL: TestA (0s)\n", "--- FAIL: TestA (0s)\nFAIL\ta\n", "FAIL\t", "ok  \ta\t0.1s", "\x1b[31m\x1b[0m",
	} {
		require.Empty(t, annotation.Find(output, all), "%q", output)
	}
	require.Equal(t, []annotation.Annotation{{File: "x.py", Line: 3, Message: "bad", Warning: true}}, annotation.Find("\x1b[1mx.py:3: warning: bad\x1b[0m\r\nx.py:3: warning: bad\n", all))
	long := annotation.Find("___ test ___\nx.py:1: E\n"+strings.Repeat("E   line\n", 100), all)
	require.Len(t, strings.Split(long[0].Message, "\n"), 13)
}

func FuzzFind(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, output string) {
		for _, a := range annotation.Find(output, func(path string) (string, bool) { return path, true }) {
			require.NotContains(t, a.Command(), "\n")
			require.NotEmpty(t, a.Message)
		}
	})
}

func TestCommand(t *testing.T) {
	for want, a := range map[string]annotation.Annotation{
		"::error file=a%2Cb.py,line=3,col=4,title=x%3A%2C::two%0Alines 100%25": {File: "a,b.py", Line: 3, Column: 4, Title: "x:,", Message: "two\nlines 100%"},
		"::warning file=a.py::m": {File: "a.py", Message: "m", Warning: true},
		"::error::m":             {Message: "m"},
	} {
		require.Equal(t, want, a.Command())
	}
}

// A file is found by its path in the checkout, or by its path in a subfolder if no other subfolder has the same file. A file outside the checkout is
// not found.
func TestBelow(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{"a.py", "app/tests/test_a.py", "packages/core/tests/test_b.py", "packages/core/both.py", "app/both.py", "x[1].py"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, file), nil, 0o600))
	}
	find := annotation.Below(root)
	for path, want := range map[string]string{
		"a.py": "a.py", "./a.py": "a.py", root + "/a.py": "a.py", "app/../a.py": "a.py", "tests/test_a.py": "app/tests/test_a.py", "x[1].py": "x[1].py",
		"tests/test_b.py": "packages/core/tests/test_b.py", "both.py": "", "app/both.py": "app/both.py", "../a.py": "", "/etc/passwd": "", "app": "", "none.py": "", "[": "", "": "",
	} {
		got, ok := find(path)
		require.Equal(t, want, got, path)
		require.Equal(t, want != "", ok, path)
	}
}
