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

// help is what the compiled magefile says: of one target, or, of "", its list.
func help(t *testing.T, target string) string {
	t.Helper()
	args := []string{"-l"}
	if target != "" {
		args = []string{"-h", target}
	}
	cmd := exec.Command(filepath.Join(compiled, "targets"), args...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// targetsOf are the targets of a list.
func targetsOf(list string) (names []string) {
	for _, m := range listed.FindAllStringSubmatch(list, -1) {
		names = append(names, m[1])
	}
	return names
}

// rowsOf are the targets of a table like README's, with their arguments, in upper case.
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

// `mage -l` fits a narrow terminal, whatever the longest name is.
func TestTheListFits(t *testing.T) {
	t.Parallel()
	_, list, found := strings.Cut(help(t, ""), "\nTargets:\n")
	require.True(t, found)
	for line := range strings.Lines(list) {
		require.LessOrEqual(t, len(strings.TrimRight(line, "\n")), 60, line)
	}
}

// Each target's help shows two command lines at least, and all of them are right.
func TestExamplesAreRight(t *testing.T) {
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

// README has the targets in the order of `mage help`.
func TestReadmeHasTheOrderOfHelp(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(filepath.Join(compiled, "targets"), "help").Output()
	require.NoError(t, err)
	var helped, written []string
	for _, m := range helpedTarget.FindAllStringSubmatch(string(out), -1) {
		helped = append(helped, m[1])
	}
	readme, err := os.ReadFile(filepath.Join(repo, "README.md"))
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(readme), "\n## Targets\n")
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

// README has a row for each target of `mage -l`, with the arguments that it takes, and for no other one.
func TestReadmeHasTheTargets(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(repo, "README.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(readme), "\n## Targets\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	written, targets := rowsOf(section), targetsOf(help(t, ""))
	require.ElementsMatch(t, targets, slices.Collect(maps.Keys(written)), "README, \"Targets\", and `mage -l`")
	for _, target := range targets {
		m := helpArgs.FindStringSubmatch(help(t, target))
		require.NotNil(t, m, target)
		require.Equal(t, strings.ToUpper(strings.NewReplacer("<", "", ">", "").Replace(strings.TrimSpace(m[1]))), written[target], "README, \"Targets\", %s", target)
	}
}

func TestRowsOfTargets(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]string{"check": "", "fmt": "", "test:all": "", "test:package": "NAME"},
		rowsOf("| target | does |\n|---|---|\n| `check` (default) | all `x` |\n| `fmt` · `test:all` | one · the other |\n| `test:package NAME` | y |\n"))
	require.Equal(t, []string{"check", "test:all"}, targetsOf("It is.\n\nTargets:\n  check*            is that.\n  test:all          runs.\n\n* default target\n"))
}

// meanings are what a flag means in some targets, where that is not the same in all of them.
var meanings = map[string][]string{
	"digests": {
		"what that build said it made",
		"with commas between", // of images
	},
	"force": {
		"replace files that have other bytes on the channel, which has to allow that",
		"why the environment that this one is after does not count", // of a deployment
	},
	"json": {
		"print one JSON object",
		"print one JSON array", // of images
	},
	"only": {
		"one package, where versions are independent",
		"one downstream, by its name or folder",
	},
	"since": {
		"a commit: what changed since",
		"the commit that a branch is at on the remote", // of a push
	},
	"to": {
		"patch, minor, major, auto (from the commits), a, b, rc, dev, post, or a version",
		"this version, which may be an older one", // of a downstream's pin
	},
	"verify": {
		"see what is on the channel: visible, downloaded, compared, installed, imported",
		"build it again without a cache, and compare every platform with what the registry has",
	},
	"tag": {
		"also tag the commit",
		"the image of this tag", // that is deployed
		"with -pr, in a job: tag this commit, which has landed and was checked, push the tag, and have release.yml run at it",
		"these tags, with commas between, in place of those of the version", // of images
	},
}

// unlike says for which flags the first clauses of the comments differ without leave, and of which leave is not made use.
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

// The same flag of two targets is explained by the same words, up to the first ";", unless it means another thing.
func TestFlagsAreExplainedAlike(t *testing.T) {
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

func TestWhichFlagsAreUnlike(t *testing.T) {
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
		"alike":            {map[string]map[string]bool{"yes": set("do not ask")}, nil, nil},
		"with more behind": {map[string]map[string]bool{"wait": set("how long", "how long; default: 10m")}, nil, nil},
		"unlike":           {map[string]map[string]bool{"yes": set("do not ask", "never ask")}, nil, []string{"-yes: do not ask | never ask"}},
		"by leave":         {map[string]map[string]bool{"only": set("a", "b; default: all")}, map[string][]string{"only": {"b", "a"}}, nil},
		"one too many":     {map[string]map[string]bool{"only": set("a", "b", "c")}, map[string][]string{"only": {"a", "b"}}, []string{"-only: a | b | c"}},
		"leave for one":    {map[string]map[string]bool{"only": set("a")}, map[string][]string{"only": {"a", "b"}}, []string{"-only has one meaning"}},
	} {
		require.Equal(t, c.want, unlike(c.comments, c.meanings), name)
	}
}
