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

// helpTexts have Mage's form: TestExamplesAreValid of e2e compares it with a compiled magefile.
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

// program returns a Program that answers as a compiled magefile of these targets does.
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
		"version":                          "\"version\" is a group of targets, not a target → use one of `mage version:bump`, `mage version:show`",
		"version: -to=1":                   "\"version:\" is a group of targets, not a target → use one of `mage version:bump`, `mage version:show`",
		"relase -to=minor":                 "there is no target \"relase\" → did you mean `mage release -to=minor`? `mage help` lists all targets",
		"bump":                             "there is no target \"bump\" → did you mean `mage version:bump`? `mage help` lists all targets",
		"version-show":                     "there is no target \"version-show\" → did you mean `mage version:show`? `mage help` lists all targets",
		"somethingelse":                    "there is no target \"somethingelse\" → `mage help` lists all targets",
		"$(x)":                             "there is no target \"$(x)\" → `mage help` lists all targets",
		"check extra":                      "\"extra\" is one word too many: it is not a target, and not an argument of check → `mage check` takes no more arguments",
		"check chekc":                      "\"chekc\" is one word too many: it is not a target, and not an argument of check → did you mean `mage check check`? Otherwise `mage check`",
		"release minor":                    "\"minor\" is one word too many: it is not a target, and not an argument of release → did you mean `mage release -to=minor`? Otherwise `mage release`",
		"release v1.2.0 -yes":              "\"v1.2.0\" is one word too many: it is not a target, and not an argument of release → did you mean `mage release -to=v1.2.0 -yes`? Otherwise `mage release -yes`",
		"release to=minor":                 "to=minor is a flag of release, but has no dash → `mage release -to=minor`",
		"release to":                       "to is a flag of release, but has no dash → `mage release -to=TO`",
		"release yes":                      "yes is a flag of release, but has no dash → `mage release -yes`",
		"release -yes true":                "-yes takes no value after a space: \"true\" is one word too many → -yes alone is yes, -yes=false is no: `mage release -yes`",
		"release --to=minor":               "a flag has one dash, but --to=minor has more → `mage release -to=minor`",
		"release --yes":                    "a flag has one dash, but --yes has more → `mage release -yes`",
		"release -to minor":                "-to has no value: write the value after =, without a space → `mage release -to=minor`; it is patch, minor, or a version; default: patch",
		"release -to=":                     "-to has no value: write the value after =, without a space → `mage release -to=TO`; it is patch, minor, or a version; default: patch",
		"release -to":                      "-to has no value: write the value after =, without a space → `mage release -to=TO`; it is patch, minor, or a version; default: patch",
		"release -to check":                "-to has no value: write the value after =, without a space → `mage release -to=TO check`; it is patch, minor, or a version; default: patch",
		"release -too=minor":               "release has no flag -too → did you mean `mage release -to=minor`?",
		"release -nothing":                 "release has no flag -nothing → use one of -to, -yes; `mage help release` explains these flags",
		"check -nothing":                   "check has no flag -nothing → use `mage check`: this target has no flags",
		"check -v":                         "-v is a flag of Mage: write it before the target → `mage -v check`",
		"check -yes":                       "check has no flag -yes → use `mage check`: this target has no flags",
		"keeping -json":                    "keeping has no flag -json → use one of -keep, -job; `mage help keeping` explains these flags",
		"keeping -JSON=true":               "keeping has no flag -JSON → use one of -keep, -job; `mage help keeping` explains these flags",
		"keeping -kep":                     "keeping has no flag -kep → did you mean `mage keeping -keep`?",
		"release -yes=perhaps":             "-yes=perhaps: it is neither true nor false → pass -yes for yes, or -yes=false for no",
		"deploy:to a -wait=5":              "-wait=5: it is not a time → pass a time with its unit, such as -wait=90s, -wait=5m or -wait=1h30m",
		"deploy:to a -hosts=x":             "-hosts=x: it is not a whole number → pass a number, such as -hosts=3",
		"deploy:to a -part=x":              "-part=x: it is not a number → pass a number, such as -part=0.5",
		"deploy:to a -wait":                "-wait has no value: write the value after =, without a space → `mage deploy:to a -wait=5m`; it is how long to wait",
		"deploy:to":                        "deploy:to needs NAME → `mage deploy:to NAME`; `mage help deploy:to` explains the arguments",
		"deploy:to -yes":                   "deploy:to needs NAME → `mage deploy:to NAME -yes`; `mage help deploy:to` explains the arguments",
		"docker:plan a":                    "docker:plan needs PLATFORM → `mage docker:plan a PLATFORM`; `mage help docker:plan` explains the arguments",
		"docker:plan a b c":                "\"c\" is one word too many: it is not a target, and not an argument of docker:plan → `mage docker:plan a b` takes no more arguments",
		"check release -nothing":           "release has no flag -nothing → use one of -to, -yes; `mage help release` explains these flags",
		"check deploy:to":                  "deploy:to needs NAME → `mage check deploy:to NAME`; `mage help deploy:to` explains the arguments",
		"-to=minor release":                "-to=minor is before the target, but flags come after the target → `mage release -to=minor`",
		"--to=minor release":               "--to=minor is before the target, but flags come after the target → `mage release -to=minor`",
		"-yes":                             "-yes is before the target, but flags come after the target → write a target first: `mage help` lists the targets",
		"-v -t 5m relase":                  "there is no target \"relase\" → did you mean `mage -v -t 5m release`? `mage help` lists all targets",
		"help relase":                      "there is no target \"relase\" → did you mean `mage help release`? `mage help` lists all targets",
		"docker:plan a b -json=1 -json=it": "-json=it: it is neither true nor false → pass -json for yes, or -json=false for no",
	} {
		_, err := program().Read(t.Context(), strings.Fields(line), 80)
		require.Error(t, err, line)
		require.Equal(t, want, err.Error()+" → "+operr.NextOf(err), line)
		require.Equal(t, operr.Usage, operr.ExitStatus(err), line)
	}
	_, err := program().Read(t.Context(), []string{"check", "it's mine"}, 80)
	require.ErrorContains(t, err, `"it's mine" is one word too many`)
}

func TestFilesOfMage(t *testing.T) {
	for _, line := range []string{
		"", "-l", "-h", "-v", "-v -t 5m", "-t=5m check", "--v check", "check", "CHECK", "Version:Show", "check release",
		"release -to=minor -yes", "release -TO=minor", "release -yes=false", "release -to=a=b", "version:bump -fixdrift",
		"deploy:to staging -wait=1h30m -hosts=-3 -part=1e3", "deploy:to staging check", "docker:plan a b -json release -yes", "b", "make check", "check B",
	} {
		text, err := program().Read(t.Context(), strings.Fields(line), 80)
		require.NoError(t, err, line)
		require.Empty(t, text, line)
	}
}

// If the magefile fails, or its output cannot be parsed, the command line is accepted and left to Mage.
func TestUnknownLinesAreLeftToMage(t *testing.T) {
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
		}
	}
}

// A -v alone does not run the default target, whether the program or Mage took it.
func TestVerboseWithoutATarget(t *testing.T) {
	asked := 0
	running := func() (Program, bool) { asked++; return program(), true }
	of := func(value string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			return map[string]string{"MAGEFILE_VERBOSE": value}[name], value != ""
		}
	}
	for _, c := range []struct{ line, variable string }{{"-v", ""}, {"--v", ""}, {"", "1"}, {"-v", "1"}} {
		_, err := BeforeMage(strings.Fields(c.line), of(c.variable), 80, running)
		require.ErrorContains(t, err, "no target is named", c)
		require.Contains(t, operr.NextOf(err), "`mage -v check`")
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
	asked = 0
	for _, c := range []struct{ line, variable string }{{"", ""}, {"", "0"}, {"status", "1"}, {"-v status", ""}, {"-l", "1"}} {
		_, err := BeforeMage(strings.Fields(c.line), of(c.variable), 80, running)
		require.NoError(t, err, c)
	}
	require.Zero(t, asked, "a right line starts no process")
	none := Program{Path: "/bin/targets", Runner: &commandtest.Script{Programs: map[string]func(context.Context, command.Cmd) error{"targets": commandtest.Exit(1, "")}}}
	_, err := BeforeMage([]string{"-v"}, of(""), 80, func() (Program, bool) { return none, true })
	require.NoError(t, err)
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
  check  is what must pass (if no target is named)

Of this repository
  build  builds it

`+"`mage help TARGET` explains one. Write flags after the\ntarget and its arguments: -name=value, or only -name for\nyes.\n"+
		"Exit statuses: 0 done, 1 failed, 2 the command line is wrong\nand nothing was done, 3 stopped for a person, or a person\nsaid no, 130 Ctrl-C.", text)

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
done, 3 stopped for a person, or a
person said no, 130 Ctrl-C.`, text)

	for _, line := range []string{"release -h", "release --help", "release -to=minor -HELP", "check release -h check", "release -h -nothing"} {
		text, err = program().Read(t.Context(), strings.Fields(line), 80)
		require.NoError(t, err, line)
		require.Contains(t, text, "mage release [-flag …]\n", line)
	}
	for _, line := range []string{"deploy:to -h", "Deploy:To staging -help"} {
		text, err = program().Read(t.Context(), strings.Fields(line), 80)
		require.NoError(t, err, line)
		require.Contains(t, text, "mage deploy:to NAME [-flag …]\n", line)
	}

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

// A test is not a compiled magefile.
func TestNothingElseIsAMagefile(t *testing.T) {
	_, ok := Running(program().Runner, nil)
	require.False(t, ok)
}
