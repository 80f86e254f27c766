package rules_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// `notes` is the folder of documents. Some are written for users, and README links to them. The others contain facts about other systems, with
// their sources, and are cited by the code.
const notes = "magefiles/docs"

var (
	numbered    = regexp.MustCompile(`(?m)^#{2,3} (\d+(?:\.\d+)?)\.? `)
	commentLine = regexp.MustCompile(`\n[ \t]*(//|#)[ \t]?`)
	reference   = regexp.MustCompile(`\d+(?:\.\d+)?`)
)

// sections returns the section numbers in a document's headings.
func sections(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range numbered.FindAllStringSubmatch(text, -1) {
		found[m[1]] = true
	}
	return found
}

// citations finds the citations of a document in a text. For each citation, it returns the section numbers and the wording.
func citations(text, name string) (cited [][]string, places []string) {
	stem := regexp.QuoteMeta(strings.TrimSuffix(name, ".md"))
	whole := regexp.MustCompile(`\b` + stem + `(\.md)?((?:,? (?:and |to |or )?§\d+(?:\.\d+)?)*)`)
	for _, m := range whole.FindAllStringSubmatch(commentLine.ReplaceAllString(text, " "), -1) {
		if m[1] == "" {
			cited, places = append(cited, nil), append(places, m[0])
			continue
		}
		cited, places = append(cited, reference.FindAllString(m[2], -1)), append(places, m[0])
	}
	return cited, places
}

// All documents and sections that the code cites exist.
func TestCitationsInCode(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	documents, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(notes), "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, documents)
	readme := read(t, filepath.Join(root, "README.md"))
	cmd := exec.Command("git", "ls-files", "-z", "*.go", "*.py", "*.yml", "*.txtar", "*.txt")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	files := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for _, file := range documents {
		name := filepath.Base(file)
		if strings.Contains(readme, "]("+notes+"/"+name+")") {
			continue // written for users
		}
		known := sections(read(t, file))
		require.NotEmpty(t, known, "README does not link %s, so this document must have numbered sections that the code cites", name)
		times := 0
		for _, file := range files {
			if path.Base(file) == "cited_test.go" || !exist(filepath.Join(root, file)) {
				continue
			}
			cited, places := citations(read(t, filepath.Join(root, file)), name)
			for i, numbers := range cited {
				require.NotEmpty(t, numbers, "%s: %q cites no section; write it as %s §1.2", file, places[i], name)
				for _, n := range numbers {
					require.True(t, known[n], "%s cites %s §%s, but this section does not exist", file, name, n)
				}
				times++
			}
		}
		require.Positive(t, times, "%s is cited nowhere", name)
	}
}

// The sections and files that a document refers to exist.
func TestReferencesInDocuments(t *testing.T) {
	documents, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	require.NoError(t, err)
	own := regexp.MustCompile(`§(\d+(?:\.\d+)?)`)
	file := regexp.MustCompile("`((?:internal|e2e)/[\\w./-]+)`")
	for _, document := range documents {
		text := read(t, document)
		known := sections(text)
		for _, m := range own.FindAllStringSubmatch(text, -1) {
			require.True(t, known[m[1]], "%s refers to its §%s, but this section does not exist", filepath.Base(document), m[1])
		}
		for _, m := range file.FindAllStringSubmatch(text, -1) {
			require.True(t, exist(filepath.Join("..", "..", m[1])), "%s names %s, which does not exist", filepath.Base(document), m[1])
		}
	}
}

func TestCitations(t *testing.T) {
	for text, want := range map[string][][]string{
		"x (facts.md §1.1): y":              {{"1.1"}},
		"facts.md §1 and §4.2, then":        {{"1", "4.2"}},
		"facts.md §1.1 to §1.3.":            {{"1.1", "1.3"}},
		"as in facts.md\n\t// §2.3, and so": {{"2.3"}},
		"see facts §1":                      {nil},
		"see facts.md":                      {nil},
		"facts.md §1; facts.md §2":          {{"1"}, {"2"}},
		"artefacts.md §7 is not it":         nil,
		"other.md §1":                       nil,
	} {
		cited, _ := citations(text, "facts.md")
		require.Equal(t, len(want), len(cited), text)
		for i := range want {
			require.ElementsMatch(t, want[i], cited[i], text)
		}
	}
	require.Equal(t, map[string]bool{"1": true, "1.2": true, "10": true}, sections("## 1. One\ntext\n### 1.2 Two\n# 3 Title\n## 10. Ten\n## No number\n"))
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

func exist(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
