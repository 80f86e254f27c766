package argvtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/argvtest"
)

// TestHostileValuesAreSeen finds a value that a program would take for an option, in every place for one.
func TestHostileValuesAreSeen(t *testing.T) {
	hash := strings.Repeat("a", 40)
	for line, problem := range map[string]string{
		"git push --porcelain -- --receive-pack=x HEAD:refs/heads/main":   "",
		"git push --porcelain --receive=x HEAD:refs/heads/main":           "git push has the option --receive=x",
		"git push --porcelain origin HEAD:refs/heads/main":                `git push has the value "origin"`,
		"git -c a.b=--x ls-remote --symref -- --upload-pack=x":            "",
		"git ls-remote --symref --upload-pack=x":                          "git ls-remote has the option --upload-pack=x",
		"git rev-list --max-count=1 --end-of-options --output=x --":       "",
		"git rev-list --max-count=1 --output=x --":                        "git rev-list has the option --output=x",
		"git rev-list --max-count=1 main --":                              `git rev-list has the value "main"`,
		"git tag --delete --end-of-options x":                             "git tag has the option --end-of-options", // git tag marks the end of its options by "--"
		"git reset --quiet --soft " + hash:                                "",
		"git reset --quiet --soft main":                                   `git reset has the value "main"`,
		"git checkout --quiet --detach --end-of-options " + hash:          "git checkout has the option --end-of-options", // git 2.39 does not know it
		"git gc --aggressive":                                             "git gc --aggressive is not in the table",
		"docker buildx inspect --bootstrap --builder=-x":                  "",
		"docker buildx inspect --bootstrap -x":                            "docker buildx inspect has the option -x",
		"docker buildx bake --builder -x":                                 "docker buildx bake has the option --builder,",
		"/opt/uv pip install --quiet --python=/x -- --index-url=evil":     "",
		"/opt/uv pip install --quiet --python=/x --index-url=evil":        "uv pip install has the option --index-url=evil",
		"/opt/uv pip install --quiet --python /x":                         "uv pip install has the option --python,",
		"pixi run --environment=-x qa --manifest-path=theirs":             "",
		"pixi run --manifest-path=evil":                                   "pixi run has the option --manifest-path=evil",
		"/usr/bin/python3.12 -I -c program --anything":                    "",
		"/usr/bin/python3.12 -I script.py":                                `python has the value "script.py"`,
		"scp -oProxyCommand=x":                                            "scp is not in the table",
		"ssh -oProxyCommand=x":                                            "ssh has the option -oProxyCommand=x",
		"ssh -oPort=-x -- -oProxyCommand=x":                               "",
		"ssh -T host":                                                     `ssh has the value "host"`,
		"node --version":                                                  "",
		"/cache/bin/zizmor --offline --pedantic --quiet -- -x.yml":        "",
		"/cache/bin/zizmor --offline --pedantic --quiet --gh-token=x.yml": "zizmor has the option --gh-token=x.yml",
	} {
		words := strings.Fields(line)
		said := argvtest.Problem(command.Recorded{Name: words[0], Args: words[1:]})
		if problem == "" {
			require.Empty(t, said, line)
			continue
		}
		require.Contains(t, said, problem, line)
	}
}

// TestLookFailsForOneOfMany reads a record of several programs, and ignores the line of a killed program.
func TestLookFailsForOneOfMany(t *testing.T) {
	file := filepath.Join(t.TempDir(), "argv")
	require.Zero(t, argvtest.Look(file), "nothing was run")
	const good = `{"name":"git","args":["fetch","--quiet","--","-x"]}` + "\n" + `{"name":"git","ar` + "\n"
	require.NoError(t, os.WriteFile(file, []byte(good), 0o644))
	require.Zero(t, argvtest.Look(file))
	require.NoError(t, os.WriteFile(file, []byte(good+`{"name":"git","args":["fetch","--quiet","-x"]}`+"\n"), 0o644))
	require.Equal(t, 1, argvtest.Look(file))
}
