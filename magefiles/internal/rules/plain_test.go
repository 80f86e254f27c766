package rules_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// retired lists words that are always wrong in comments, errors and documents, each with its replacement. CONTRIBUTING, "How to write", has more
// words, some of which are right in other contexts.
var retired = []struct {
	word    *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(?i)\banew\b`), "again"},
	{regexp.MustCompile(`(?i)\bmend(s|ed|ing)?\b`), "fix"},
	{regexp.MustCompile(`(?i)\bin place of\b`), "instead of"},
	{regexp.MustCompile(`(?i)\bsomebody\b`), "someone"},
	{regexp.MustCompile(`(?i)\bsay(s|ing)? -[a-z]`), "pass -flag"},
	{regexp.MustCompile(`(?i)\b(behaviou|colou|honou|favou|neighbou|flavou)r|\bcatalogu[e]|\b(label|travel|model|signal|tunnel)l(ed|ing)\b|\bgrey\b|\bcent[r]e\b`), "American spelling"},
	{regexp.MustCompile(`(?i)\b(organ|recogn|initial|normal|serial|summar|author|optim|synchron|canonical)is(e|es|ed|ing|ation)\b`), "American spelling"},
}

var (
	isNo = regexp.MustCompile(`(?i)(\S*)\s+(is|are|was|were) no (\w+)`)
	// notProse matches quotations in a document or a comment.
	notProse = regexp.MustCompile("(?s)```.*?```|``.*?``|`[^`]*`|\"[^\"\n]*\"|“[^”]*”|<[^>\n]+>|\\]\\([^)]*\\)")
	// afterNo matches words that may follow "is no".
	afterNo = regexp.MustCompile(`(?i)^(longer|more|less|later|earlier|older|newer|larger|smaller|higher|lower|other|one|need|way)$`)
	// participle matches a participle as the first word of a function name.
	participle = regexp.MustCompile(`^([a-z]+ed|asked|begun|built|found|given|gone|held|kept|known|left|lent|lost|made|meant|said|seen|sent|shown|taken|told|written)$`)
)

// plain returns the wordings in a text that are not allowed.
func plain(text string) (wrong []string) {
	text = notProse.ReplaceAllString(text, "…")
	for _, r := range retired {
		for _, w := range r.word.FindAllString(text, -1) {
			wrong = append(wrong, fmt.Sprintf("%q: write %s", w, r.instead))
		}
	}
	for _, m := range isNo.FindAllStringSubmatch(text, -1) {
		if !strings.EqualFold(strings.Trim(m[1], "(\"'"), "there") && !afterNo.MatchString(m[3]) {
			wrong = append(wrong, fmt.Sprintf("%q: write %q", strings.TrimSpace(m[0]), m[2]+" not a "+m[3]))
		}
	}
	return wrong
}

// acts reports whether a function that does something has a name like "asked". A function does something if it returns nothing or only an error.
func acts(f *ast.FuncDecl) bool {
	first, _, _ := strings.Cut(strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return ' '
		}
		return r
	}, strings.ToLower(f.Name.Name[:1])+f.Name.Name[1:]), " ")
	if !participle.MatchString(first) || first == "embed" || first == "need" || first == "feed" || first == "seed" {
		return false
	}
	results := f.Type.Results
	if results.NumFields() == 0 {
		return true
	}
	last, ok := results.List[0].Type.(*ast.Ident)
	return results.NumFields() == 1 && ok && last.Name == "error"
}

// errorTexts returns the string literals in a file that are arguments of operr, fmt.Errorf or errors.New.
func errorTexts(file *ast.File) (texts []*ast.BasicLit) {
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		p, ok := f.X.(*ast.Ident)
		if !ok || p.Name != "operr" && p.Name+"."+f.Sel.Name != "fmt.Errorf" && p.Name+"."+f.Sel.Name != "errors.New" {
			return true
		}
		for _, arg := range call.Args {
			ast.Inspect(arg, func(n ast.Node) bool {
				if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
					texts = append(texts, text)
				}
				return true
			})
		}
		return true
	})
	return texts
}

// Comments, errors and documents contain no retired words, and the names of functions that do something are verbs.
func TestPlainWords(t *testing.T) {
	for _, file := range tracked(t) {
		name := filepath.Join("..", "..", "..", file)
		switch {
		case strings.Contains(file, "/testdata/") || strings.Contains(file, "/samecode/"):
		case strings.HasSuffix(file, ".md"):
			for _, wrong := range plain(read(t, name)) {
				t.Errorf("%s: %s", file, wrong)
			}
		case strings.HasSuffix(file, ".go"):
			set := token.NewFileSet()
			source, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, group := range source.Comments {
				for _, wrong := range plain(group.Text()) {
					t.Errorf("%s:%d: %s", file, set.Position(group.Pos()).Line, wrong)
				}
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, text := range errorTexts(source) {
				for _, wrong := range plain(strings.Trim(text.Value, "\"`")) {
					t.Errorf("%s:%d: %s", file, set.Position(text.Pos()).Line, wrong)
				}
			}
			for _, d := range source.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && acts(f) {
					t.Errorf("%s:%d: function %s does something: name it by a verb", file, set.Position(f.Pos()).Line, f.Name.Name)
				}
			}
		}
	}
}

func TestPlainRefuses(t *testing.T) {
	for text, wrong := range map[string]bool{
		"it begins anew":          true,
		"It mends the file":       true,
		"amended, recommended":    false,
		"in place of a tag":       true,
		"somebody else":           true,
		"or say -to=patch":        true,
		"`say -to` is a command":  false,
		"the col" + "ours":        true,
		"the colors of a run":     false,
		"an author" + "ised push": true,
		"x is no journal":         true,
		"x\nis no journal":        true,
		"there is no journal":     false,
		"There are no journals":   false,
		"x is no longer there":    false,
		"the text \"is no X\"":    false,
	} {
		require.Equal(t, wrong, len(plain(text)) > 0, text)
	}
}
