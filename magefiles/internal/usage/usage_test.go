package usage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/commandtest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

const listText = `It is an example.

Targets:
  build              builds it.
  check*             is what must pass.
  deploy:to          deploys an image.
  docker:plan        says what would be built.
  release            publishes.
  version:bump       changes versions.
  version:show       prints versions.

* default target
`

// helpTexts are as Mage writes them, which TestExamplesAreRight of e2e holds against a compiled magefile.
var helpTexts = map[string]string{
	"build":        "Build builds it.\n\nUsage:\n\n\tx build\n\nAliases: b, make\n\n",
	"check":        "Check is what must pass.\n\nUsage:\n\n\tx check\n\n",
	"deploy:to":    "To deploys an image. For example: 'mage deploy:to staging', 'mage deploy:to staging -wait=5m'.\n\nUsage:\n\n\tx deploy:to <name> [<flags>]\n\nFlags:\n\n\t-wait=<time.Duration>  how long to wait\n\t-hosts=<int>           how many\n\t-part=<float64>        a share\n\t-yes=<bool>            do not ask\n\n",
	"docker:plan":  "Plan says what would be built.\n\nUsage:\n\n\tx docker:plan <name> <platform> [-json=<bool>]\n\nFlags:\n\n\t-json=<bool>  print one JSON object\n\n",
	"keeping":      "Keeping keeps.\n\nUsage:\n\n\tx keeping [<flags>]\n\nFlags:\n\n\t-keep=<bool>   keep it\n\t-job=<string>  one job\n\n",
	"release":      "Release publishes.\n\nUsage:\n\n\tx release [<flags>]\n\nFlags:\n\n\t-to=<string>  patch, minor, or a version; default: patch\n\t-yes=<bool>   do not ask\n\n",
	"version:bump": "Bump changes versions.\n\nUsage:\n\n\tx version:bump [-fixDrift=<bool>]\n\n",
	"version:show": "Show prints versions.\n\nUsage:\n\n\tx version:show\n\n",
}

// program answers as a compiled magefile of these targets.
func program() Program {
	return Program{
		Path: "/bin/targets",
		Runner: &commandtest.Script{Programs: map[string]func(context.Context, command.Cmd) error{
			"targets": func(_ context.Context, c command.Cmd) error {
				text, known := listText, true
				if c.Args[0] == "-h" {
					text, known = helpTexts[strings.ToLower(c.Args[1])]
				}
				if !known {
					return &command.ExitError{Name: "targets", Code: 2}
				}
				_, err := io.WriteString(c.Stdout, text)
				return err
			},
		}},
	}
}

func TestWhatIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		"version":                          "\"version\" is a group of targets, and not one of them → say one of `mage version:bump`, `mage version:show`",
		"version: -to=1":                   "\"version:\" is a group of targets, and not one of them → say one of `mage version:bump`, `mage version:show`",
		"relase -to=minor":                 "there is no target \"relase\" → did you mean `mage release -to=minor`? `mage help` lists all of them",
		"bump":                             "there is no target \"bump\" → did you mean `mage version:bump`? `mage help` lists all of them",
		"version-show":                     "there is no target \"version-show\" → did you mean `mage version:show`? `mage help` lists all of them",
		"somethingelse":                    "there is no target \"somethingelse\" → `mage help` lists all of them",
		"$(x)":                             "there is no target \"$(x)\" → `mage help` lists all of them",
		"check extra":                      "\"extra\" is one word too many: it is no target, and check does not take it → `mage check` takes no more",
		"check chekc":                      "\"chekc\" is one word too many: it is no target, and check does not take it → did you mean `mage check check`? Else `mage check`",
		"release minor":                    "\"minor\" is one word too many: it is no target, and release does not take it → did you mean `mage release -to=minor`? Else `mage release`",
		"release v1.2.0 -yes":              "\"v1.2.0\" is one word too many: it is no target, and release does not take it → did you mean `mage release -to=v1.2.0 -yes`? Else `mage release -yes`",
		"release to=minor":                 "to=minor is a flag of release, and wants a dash → `mage release -to=minor`",
		"release to":                       "to is a flag of release, and wants a dash → `mage release -to=TO`",
		"release yes":                      "yes is a flag of release, and wants a dash → `mage release -yes`",
		"release -yes true":                "-yes takes no value behind a space: \"true\" is one word too many → -yes alone is yes, -yes=false is no: `mage release -yes`",
		"release --to=minor":               "a flag has one dash, and --to=minor has more → `mage release -to=minor`",
		"release --yes":                    "a flag has one dash, and --yes has more → `mage release -yes`",
		"release -to minor":                "-to has no value: it stands behind a =, without a space → `mage release -to=minor`; it is patch, minor, or a version; default: patch",
		"release -to=":                     "-to has no value: it stands behind a =, without a space → `mage release -to=TO`; it is patch, minor, or a version; default: patch",
		"release -to":                      "-to has no value: it stands behind a =, without a space → `mage release -to=TO`; it is patch, minor, or a version; default: patch",
		"release -to check":                "-to has no value: it stands behind a =, without a space → `mage release -to=TO check`; it is patch, minor, or a version; default: patch",
		"release -too=minor":               "release has no flag -too → did you mean `mage release -to=minor`?",
		"release -nothing":                 "release has no flag -nothing → it has -to, -yes; `mage help release` explains them",
		"check -nothing":                   "check has no flag -nothing → say `mage check`: it has no flags",
		"check -h":                         "check has no flag -h → say `mage help check`",
		"check -v":                         "-v is a flag of Mage, and stands before the target → `mage -v check`",
		"check -yes":                       "check has no flag -yes → say `mage check`: it has no flags",
		"keeping -help":                    "keeping has no flag -help → say `mage help keeping`",
		"keeping --help":                   "keeping has no flag -help → say `mage help keeping`",
		"keeping -h":                       "keeping has no flag -h → say `mage help keeping`",
		"keeping -json":                    "keeping has no flag -json → it has -keep, -job; `mage help keeping` explains them",
		"keeping -JSON=true":               "keeping has no flag -JSON → it has -keep, -job; `mage help keeping` explains them",
		"keeping -kep":                     "keeping has no flag -kep → did you mean `mage keeping -keep`?",
		"release -yes=perhaps":             "-yes=perhaps: it is neither yes nor no → say -yes for yes, or -yes=false for no",
		"deploy:to a -wait=5":              "-wait=5: it is not a time → say a time with its unit, such as -wait=90s, -wait=5m or -wait=1h30m",
		"deploy:to a -hosts=x":             "-hosts=x: it is not a whole number → say a number, such as -hosts=3",
		"deploy:to a -part=x":              "-part=x: it is not a number → say a number, such as -part=0.5",
		"deploy:to a -wait":                "-wait has no value: it stands behind a =, without a space → `mage deploy:to a -wait=5m`; it is how long to wait",
		"deploy:to":                        "deploy:to wants NAME → `mage deploy:to NAME`; `mage help deploy:to` says what it takes",
		"deploy:to -yes":                   "deploy:to wants NAME → `mage deploy:to NAME -yes`; `mage help deploy:to` says what it takes",
		"docker:plan a":                    "docker:plan wants PLATFORM → `mage docker:plan a PLATFORM`; `mage help docker:plan` says what it takes",
		"docker:plan a b c":                "\"c\" is one word too many: it is no target, and docker:plan does not take it → `mage docker:plan a b` takes no more",
		"check release -nothing":           "release has no flag -nothing → it has -to, -yes; `mage help release` explains them",
		"check deploy:to":                  "deploy:to wants NAME → `mage check deploy:to NAME`; `mage help deploy:to` says what it takes",
		"-to=minor release":                "-to=minor stands before the target, and flags stand behind it → `mage release -to=minor`",
		"-yes":                             "-yes stands before the target, and flags stand behind it → name a target first: `mage help` lists them",
		"-v -t 5m relase":                  "there is no target \"relase\" → did you mean `mage -v -t 5m release`? `mage help` lists all of them",
		"help relase":                      "there is no target \"relase\" → did you mean `mage help release`? `mage help` lists all of them",
		"docker:plan a b -json=1 -json=it": "-json=it: it is neither yes nor no → say -json for yes, or -json=false for no",
	} {
		_, err := program().Read(t.Context(), strings.Fields(line), 80)
		require.Error(t, err, line)
		require.Equal(t, want, err.Error()+" → "+operr.NextOf(err), line)
		require.Equal(t, operr.Usage, operr.ExitStatus(err), line)
	}
	_, err := program().Read(t.Context(), []string{"check", "it's mine"}, 80)
	require.ErrorContains(t, err, `"it's mine" is one word too many`)
}

func TestWhatMageMayRead(t *testing.T) {
	for _, line := range []string{
		"", "-l", "-h release", "-h", "-v", "-v -t 5m", "-t=5m check", "--v check", "check", "CHECK", "Version:Show", "check release",
		"release -to=minor -yes", "release -TO=minor", "release -yes=false", "release -to=a=b", "version:bump -fixdrift",
		"deploy:to staging -wait=1h30m -hosts=-3 -part=1e3", "deploy:to staging check", "docker:plan a b -json release -yes", "b", "make check", "check B",
	} {
		text, err := program().Read(t.Context(), strings.Fields(line), 80)
		require.NoError(t, err, line)
		require.Empty(t, text, line)
	}
}

// Where the magefile does not answer, or in a way that is not understood, nothing is refused: Mage reads the command line as it always did.
func TestWhatCannotBeToldIsMages(t *testing.T) {
	for name, answers := range map[string]func(context.Context, command.Cmd) error{
		"fails": commandtest.Exit(1, ""),
		"says another thing": func(_ context.Context, c command.Cmd) error {
			_, err := fmt.Fprint(c.Stdout, "hello\n")
			return err
		},
	} {
		p := Program{
			Path:   "/bin/targets",
			Runner: &commandtest.Script{Programs: map[string]func(context.Context, command.Cmd) error{"targets": answers}},
		}
		require.NoError(t, p.Check(t.Context(), []string{"relase", "--to"}), name)
	}
}

func TestAsksMage(t *testing.T) {
	for value, want := range map[string]bool{"": false, "0": false, "x": false, "1": true, "true": true} {
		for _, of := range []string{"MAGEFILE_LIST", "MAGEFILE_HELP"} {
			environment := map[string]string{of: value}
			lookup := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
			require.Equal(t, want, AsksMage(lookup), of+"="+value)
			require.Equal(t, want && of == "MAGEFILE_LIST", AsksForList(lookup), of+"="+value)
		}
	}
}

func TestHelp(t *testing.T) {
	text, err := program().Help(t.Context(), 60)
	require.NoError(t, err)
	require.Equal(t, `Version
  version:show  prints versions
  version:bump  changes versions

Release
  release  publishes

Images
  docker:plan  says what would be built

Deploy
  deploy:to  deploys an image

Workshop
  check  is what must pass (where no target is named)

Of this repository
  build  builds it

`+"`mage help TARGET` explains one. Flags stand behind the\ntarget and its arguments: -name=value, or -name alone for\nyes.\n"+
		"Exit statuses: 0 done, 1 failed, 2 the command line is wrong\nand nothing was done, 3 stopped for a person, 130 Ctrl-C.", text)

	text, err = program().Read(t.Context(), []string{"help", "Deploy:To"}, 40)
	require.NoError(t, err)
	require.Equal(t, `mage deploy:to NAME [-flag …]

deploy:to deploys an image.

  -wait=5m   how long to wait
  -hosts=3   how many
  -part=0.5  a share
  -yes       do not ask

For example:
  mage deploy:to staging
  mage deploy:to staging -wait=5m

Exit statuses: 0 done, 1 failed, 2 the
command line is wrong and nothing was
done, 3 stopped for a person, 130
Ctrl-C.`, text)

	for asked, want := range map[string]string{
		"version": "  version:bump  changes versions\n  version:show  prints versions",
		"make":    "mage build\n\nbuild builds it.\n",
	} {
		text, err = program().Read(t.Context(), []string{"help", asked}, 80)
		require.NoError(t, err)
		require.Contains(t, text, want)
	}
}

func TestHolds(t *testing.T) {
	text := []byte("/the text")
	for _, at := range []int{0, 1, 1<<20 - 4, 1 << 20, 3<<20 - 9} {
		data := make([]byte, 3<<20)
		copy(data[at:], text)
		require.True(t, holds(strings.NewReader(string(data)), text), at)
	}
	require.False(t, holds(strings.NewReader(strings.Repeat("/the tex", 1<<18)), text))
	require.False(t, holds(io.MultiReader(strings.NewReader("/the te"), failing{}), text))
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken") }

// A test is no compiled magefile.
func TestNothingElseIsAMagefile(t *testing.T) {
	_, ok := Running(program().Runner, nil)
	require.False(t, ok)
}
