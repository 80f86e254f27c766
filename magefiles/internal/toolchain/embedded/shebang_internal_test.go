package embedded

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pythontest"
)

// A package's scripts work in any environment: below a folder with a blank, a tab or special shell characters in its name, and with a long path.
func TestScriptsRunInAnyFolder(t *testing.T) {
	python := pythontest.Interpreter(t).Path
	for _, folder := range []string{
		"plain", "two words", "a\ttab", "many  blanks and 'quotes'", "$HOME and `id`", `say "hi" $USER`, "ünï cödé", "with'quote", strings.Repeat("long-", 30), strings.Repeat("long and ", 25),
	} {
		dir := filepath.Join(t.TempDir(), folder)
		interpreter := filepath.Join(dir, "bin", "python")
		require.NoError(t, os.MkdirAll(filepath.Dir(interpreter), 0o755))
		require.NoError(t, os.Symlink(python, interpreter))
		for name, first := range map[string]string{
			"entry": writePythonShebang(interpreter),
			"moved": strings.TrimSuffix(string(move([]byte("#!/opt/placeholder/bin/python3.12 -I\n"), "/opt/placeholder", dir)), "\n"),
		} {
			first = strings.ReplaceAll(first, "/bin/python3.12", "/bin/python")
			script := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(script, []byte(first+"\nimport sys\n\nprint(sys.argv[1:])\n"), 0o755))
			out, err := exec.Command(script, "one two", "$x").CombinedOutput()
			require.NoError(t, err, "%s: %s: %s", name, first, out)
			require.Equal(t, "['one two', '$x']\n", string(out), "%s: %s", name, first)
		}
	}
}

// The expected shebangs are those of rattler (PythonInfo::shebang, replace_shebang).
func TestShebangs(t *testing.T) {
	long := "/" + strings.Repeat("x", 110)
	for python, want := range map[string]string{
		"/env/bin/python":                          "#!/env/bin/python",
		"/my env/bin/python":                       "#!/bin/sh\n'''exec' \"/my env/bin/python\" \"$0\" \"$@\" #'''",
		long + "/bin/python3.4":                    "#!" + long + "/bin/python3.4", // the path has 125 characters
		long + "/bin/python3.40":                   "#!/bin/sh\n'''exec' \"" + long + "/bin/python3.40\" \"$0\" \"$@\" #'''",
		"/a\"b c/bin/python":                       "#!/bin/sh\n'''exec' '/a\"b c/bin/python' \"$0\" \"$@\" #'''",
		"/home/me/$proj/bin/python":                "#!/home/me/$proj/bin/python",
		strings.Repeat("/far", 40) + "/bin/python": "#!/bin/sh\n'''exec' \"" + strings.Repeat("/far", 40) + "/bin/python\" \"$0\" \"$@\" #'''",
	} {
		require.Equal(t, want, writePythonShebang(python))
	}
	const old = "/old/prefix"
	for _, c := range []struct{ data, prefix, want string }{
		{"#!/old/prefix/bin/python\nx = '/old/prefix'\n", "/new", "#!/new/bin/python\nx = '/new'\n"},
		{"#!/old/prefix/bin/python3.11\n/old/prefix\n", "/my new", "#!/bin/sh\n'''exec' \"/my new/bin/python3.11\" \"$0\" \"$@\" #'''\n/my new\n"},
		{"#!/old/prefix/bin/python -sE\n", "/my new", "#!/bin/sh\n'''exec' \"/my new/bin/python\" -sE \"$0\" \"$@\" #'''\n"},
		{"#!/old/prefix/bin/perl -w\nprint\n", "/my new", "#!/usr/bin/env perl -w\nprint\n"},
		{"#!/bin/sh\nexec \"/old/prefix/bin/x\"\n", "/my new", "#!/bin/sh\nexec \"/my new/bin/x\"\n"},
		{"#!/usr/bin/env python\n", "/my new", "#!/usr/bin/env python\n"},
		{"no shebang /old/prefix", "/my new", "no shebang /my new"},
		{"#!/old/prefix/bin/python", "/my new", "#!/bin/sh\n'''exec' \"/my new/bin/python\" \"$0\" \"$@\" #'''"},
		{"\x7fELF/old/prefix", "/my new", "\x7fELF/my new"},
	} {
		require.Equal(t, c.want, string(move([]byte(c.data), old, c.prefix)), c.data)
	}
	far := "/" + strings.Repeat("y", longestShebang())
	require.Equal(t, "#!/bin/sh\n'''exec' \""+far+"/bin/python\" \"$0\" \"$@\" #'''\n", string(move([]byte("#!/old/prefix/bin/python\n"), old, far)))
	require.Equal(t, "#!/usr/bin/env ruby\n", string(move([]byte("#!/old/prefix/bin/ruby\n"), old, far)))
}
