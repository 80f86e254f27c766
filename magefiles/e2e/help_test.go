package e2e_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/usage"
)

var (
	listed   = regexp.MustCompile(`(?m)^  ([\w:]+)\*? `)
	helpFlag = regexp.MustCompile(`(?m)^\t-(\w+)=<\w+> +(.*)$`)
	helpArgs = regexp.MustCompile(`(?m)^\t\S+ [\w:]+((?: <\w+>)*)(?: \[.*\])?$`)
	row      = regexp.MustCompile("(?m)^\\| ((?:`[^`]+`(?: \\(default\\))?(?: · )?)+) \\| ")
)

// help returns what the compiled magefile prints as the help of a target, or the list of targets if target is "".
func help(t *testing.T, target string) string {
	t.Helper()
	args := []string{"-l"}
	if target != "" {
		args = []string{"-h", target}
	}
	cmd := exec.Command(filepath.Join(compiled, "targets"), args...)
	if target != "" {
		cmd.Env = append(os.Environ(), "MAGEFILE_HELP=1") // makes the program print Mage's own output
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// targetsOf returns the targets in a list.
func targetsOf(list string) (names []string) {
	for _, m := range listed.FindAllStringSubmatch(list, -1) {
		names = append(names, m[1])
	}
	return names
}

// rowsOf returns the targets in a table like the one in targets.md, with their arguments in upper case.
func rowsOf(table string) map[string]string {
	targets := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		for name := range strings.SplitSeq(m[1], "`") {
			if name, args, _ := strings.Cut(name, " "); name != "" {
				targets[name] = args
			}
		}
	}
	return targets
}

// `mage -l` fits a narrow terminal, even with the longest target name.
func TestTargetListFitsTheTerminal(t *testing.T) {
	t.Parallel()
	_, list, found := strings.Cut(help(t, ""), "\nTargets:\n")
	require.True(t, found)
	for line := range strings.Lines(list) {
		require.LessOrEqual(t, len(strings.TrimRight(line, "\n")), 60, line)
	}
}

// `mage -l` and `mage -h TARGET` print the doc comments of targets without compiling anything. The output lists all targets, where to start, and
// where to read more.
func TestMagesOwnList(t *testing.T) {
	t.Parallel()
	ask := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"tool", "mage"}, args...)...)
		cmd.Dir = repo
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	list := ask("-l")
	require.Equal(t, targetsOf(help(t, "")), targetsOf(list))
	require.Contains(t, strings.Join(strings.Fields(list), " "), "start with 'mage rehearse'", "Mage writes other quotes")
	require.Contains(t, ask("-h", "release"), "mage help release")
	for _, flag := range []string{"-h", "--help"} {
		out, err := exec.CommandContext(t.Context(), filepath.Join(compiled, "targets"), flag, "release").CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "-to=TO", "a program that is compiled has our help")
		require.Contains(t, string(out), "Exit statuses: 0 done")
	}
}

// withoutJSON maps targets whose output no script needs to parse to the reason.
var withoutJSON = map[string]string{
	"help":          "it is for people, and a script reads the comments",
	"schema":        "it is JSON",
	"deploy:logs":   "it has the lines of others",
	"channel:serve": "it goes on until Ctrl-C",
	"app:run":       "a person's program",
	"app:dashboard": "a person's program",
	"app:check":     "its exit status says it",
	"check":         "its exit status says it",
	"lint":          "its exit status says it",
	"test:all":      "its exit status says it",
	"test:package":  "its exit status says it",
	"qa:all":        "its exit status says it",
	"qa:package":    "its exit status says it",
	"fmt":           "git says what it changed",
	"lock":          "git says what it changed",
	"build:all":     "-digests writes a file that a script reads",
	"build:package": "the folder output has what it made",
	"clean":         "it asks a person",
	"deploy:remove": "it asks a person",
	"deploy:setup":  "it asks a person",
	"undo":          "it asks a person, and `status -json` says what came of it",
	"fleet":         "a test, which Go ends",
	"kills":         "a test, which Go ends",
}

// Every target has a -json flag or is in withoutJSON, so that scripts need not parse text that is written for users.
func TestTargetsHaveJSON(t *testing.T) {
	t.Parallel()
	for _, target := range targetsOf(help(t, "")) {
		has := slices.ContainsFunc(helpFlag.FindAllStringSubmatch(help(t, target), -1), func(m []string) bool { return m[1] == "json" })
		require.Equal(t, withoutJSON[strings.ToLower(target)] == "", has, "%s: give it -json, or put it on the list with the reason", target)
	}
}

// The help of each target shows at least two command lines, and all of them are valid.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	program := usage.Program{
		Runner:  command.NewSystem(os.Environ(), nil),
		Environ: os.Environ(),
		Path:    filepath.Join(compiled, "targets"),
	}
	for _, target := range targetsOf(help(t, "")) {
		text := strings.Join(strings.Fields(help(t, target)), " ")
		_, text, found := strings.Cut(text, " For example: ")
		require.True(t, found, target)
		text, _, _ = strings.Cut(text, " Usage: ")
		examples := example.FindAllStringSubmatch(text, -1)
		require.GreaterOrEqual(t, len(examples), 2, target)
		for _, e := range examples {
			require.Contains(t, strings.Fields(e[1]), target, e[0])
			_, err := program.Read(t.Context(), strings.Fields(e[1]), 80)
			require.NoError(t, err, e[0])
		}
	}
}

var example = regexp.MustCompile("'mage ([^']*)'")

// targets.md lists the targets in the same order as `mage help`.
func TestDocsListTargetsInTheOrderOfHelp(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(filepath.Join(compiled, "targets"), "help").Output()
	require.NoError(t, err)
	var helped, written []string
	for _, m := range helpedTarget.FindAllStringSubmatch(string(out), -1) {
		helped = append(helped, m[1])
	}
	_, section, _ := strings.Cut(readFile(t, repo, "magefiles/docs/targets.md"), "\n## Targets\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		for i, name := range strings.Split(m[1], "`") {
			if i%2 == 1 {
				name, _, _ = strings.Cut(name, " ")
				written = append(written, name)
			}
		}
	}
	require.Equal(t, helped, written)
}

var helpedTarget = regexp.MustCompile(`(?m)^  ([a-z][\w:]*) `)

// targets.md has a row for each target in `mage -l`, with its arguments, and no other rows.
func TestDocsHaveTheTargets(t *testing.T) {
	t.Parallel()
	_, section, found := strings.Cut(readFile(t, repo, "magefiles/docs/targets.md"), "\n## Targets\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	written, targets := rowsOf(section), targetsOf(help(t, ""))
	require.ElementsMatch(t, targets, slices.Collect(maps.Keys(written)), "targets.md and `mage -l`")
	for _, target := range targets {
		m := helpArgs.FindStringSubmatch(help(t, target))
		require.NotNil(t, m, target)
		require.Equal(t, strings.ToUpper(strings.NewReplacer("<", "", ">", "").Replace(strings.TrimSpace(m[1]))), written[target], "targets.md, %s", target)
	}
}

func TestRowsOfTargets(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]string{"check": "", "fmt": "", "test:all": "", "test:package": "NAME"},
		rowsOf("| target | does |\n|---|---|\n| `check` (default) | all `x` |\n| `fmt` · `test:all` | one · the other |\n| `test:package NAME` | y |\n"))
	require.Equal(t, []string{"check", "test:all"}, targetsOf("It is.\n\nTargets:\n  check*            is that.\n  test:all          runs.\n\n* default target\n"))
}

// meanings lists the flags that have different meanings in different targets, with the explanation of each meaning.
var meanings = map[string][]string{
	"digests": {
		"digests that the build of these packages reported",
		"digests of the images, separated by commas",
	},
	"force": {
		"replace files that have other bytes on the channel, if the channel allows that",
		"reason to ignore the environment before this one", // for deployments
	},
	"json": {
		"print one JSON object",
		"print one JSON array", // for images
	},
	"only": {
		"one package, if the versions are independent",
		"one downstream, by its name or folder",
	},
	"since": {
		"the commit to compare with",
		"the commit that a branch is at on the remote", // for a push
	},
	"to": {
		"patch, minor, major, auto (from the commits), a, b, rc, dev, post, or a version",
		"this version, which may be an older one", // for a downstream's pin
	},
	"verify": {
		"verify the packages on the channel: find, download, compare, install and import them",
		"build the image again without a cache, and compare every platform with the image in the registry",
	},
	"tag": {
		"also tag the commit",
		"the image of this tag", // for a deployment
		"with -pr, in a job: tag this merged and checked commit, push the tag, and start release.yml at the tag",
		"these tags, separated by commas, instead of the tags of the version", // for images
	},
}

// unlike returns the flags that are explained differently by different targets and are not in meanings, and the entries of meanings that no flag
// uses. Only the part of an explanation before the first ";" is compared.
func unlike(comments map[string]map[string]bool, meanings map[string][]string) (wrong []string) {
	for flag, said := range comments {
		clauses := map[string]bool{}
		for comment := range said {
			clause, _, _ := strings.Cut(comment, ";")
			clauses[clause] = true
		}
		got := slices.Sorted(maps.Keys(clauses))
		if want := slices.Sorted(slices.Values(meanings[flag])); len(got) > 1 && !slices.Equal(got, want) {
			wrong = append(wrong, "-"+flag+": "+strings.Join(got, " | "))
		}
	}
	for flag, all := range meanings {
		if len(comments[flag]) < len(all) {
			wrong = append(wrong, "-"+flag+" has one meaning")
		}
	}
	slices.Sort(wrong)
	return wrong
}

// All targets explain a flag in the same words, up to the first ";", unless the flag has several meanings.
func TestFlagsHaveTheSameTextEverywhere(t *testing.T) {
	t.Parallel()
	comments := map[string]map[string]bool{}
	for _, target := range targetsOf(help(t, "")) {
		for _, m := range helpFlag.FindAllStringSubmatch(help(t, target), -1) {
			require.NotEmpty(t, m[2], "%s: -%s is not explained", target, m[1])
			if comments[m[1]] == nil {
				comments[m[1]] = map[string]bool{}
			}
			comments[m[1]][m[2]] = true
		}
	}
	require.Greater(t, len(comments), 20)
	require.Empty(t, unlike(comments, meanings))
}

func TestFlagsWithDifferentTexts(t *testing.T) {
	t.Parallel()
	set := func(comments ...string) map[string]bool {
		all := map[string]bool{}
		for _, c := range comments {
			all[c] = true
		}
		return all
	}
	for name, c := range map[string]struct {
		comments map[string]map[string]bool
		meanings map[string][]string
		want     []string
	}{
		"alike":                              {map[string]map[string]bool{"yes": set("do not ask")}, nil, nil},
		"with more after the semicolon":      {map[string]map[string]bool{"wait": set("how long", "how long; default: 10m")}, nil, nil},
		"unlike":                             {map[string]map[string]bool{"yes": set("do not ask", "never ask")}, nil, []string{"-yes: do not ask | never ask"}},
		"with two listed meanings":           {map[string]map[string]bool{"only": set("a", "b; default: all")}, map[string][]string{"only": {"b", "a"}}, nil},
		"with a meaning that is not listed":  {map[string]map[string]bool{"only": set("a", "b", "c")}, map[string][]string{"only": {"a", "b"}}, []string{"-only: a | b | c"}},
		"a list for a flag with one meaning": {map[string]map[string]bool{"only": set("a")}, map[string][]string{"only": {"a", "b"}}, []string{"-only has one meaning"}},
	} {
		require.Equal(t, c.want, unlike(c.comments, c.meanings), name)
	}
}
