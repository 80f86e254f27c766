package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"go.yaml.in/yaml/v3"
	"mvdan.cc/sh/v3/syntax"
)

// change is a file that differs between two commits, with git's status letter. `modes` is set if the file mode changed.
type change struct {
	old, new, status, modes string
}

// changes returns the files that differ between two commits. Git detects renames.
func changes(repo, before, after string) (found []change, err error) {
	out, err := output(repo, nil, "git", "diff-tree", "-r", "-M", "-z", before, after)
	fields := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		of := strings.Fields(fields[i]) // :MODE MODE SHA SHA STATUS
		c := change{old: fields[i+1], new: fields[i+1], status: of[4][:1]}
		if c.status == "R" {
			c.new = fields[i+2]
			i++
		}
		if c.modes = of[0][1:] + " " + of[1]; of[0][1:] == of[1] {
			c.modes = ""
		}
		found = append(found, c)
	}
	return found, err
}

// compareOthers compares the files that are not part of the module's Go code.
func (c *comparison) compareOthers(changed []change) error {
	var scripts []change
	for _, ch := range changed {
		where := func(format string, args ...any) {
			c.found = append(c.found, finding{at: ch.new, says: fmt.Sprintf(format, args...)})
		}
		ext := path.Ext(ch.new)
		switch {
		case ext == ".md" && path.Ext(ch.old) == ext && !inTestdata(ch.new):
			continue
		case ch.status == "A" || ch.status == "D":
			where("the file is in only one of the two trees")
			continue
		case ch.modes != "":
			where("the mode of the file changed: %s", ch.modes)
			continue
		case c.old.files[ch.old] != nil && c.new.files[ch.new] != nil:
			continue
		}
		before, err := os.ReadFile(filepath.Join(c.old.root, ch.old))
		if err != nil {
			return err
		}
		after, err := os.ReadFile(filepath.Join(c.new.root, ch.new))
		if err != nil {
			return err
		}
		if inTestdata(ch.new) {
			c.expected = append(c.expected, lines(ch.new, string(before), string(after))...)
			continue
		}
		if b, a := marks(before), marks(after); !slices.Equal(b, a) {
			where("comments that programs read: %q became %q", b, a)
		}
		if ext == ".py" {
			scripts = append(scripts, ch)
			continue
		}
		if reason := differs(ch.new, before, after); reason != "" {
			where("%s", reason)
		} else if ext == ".json" {
			c.expected = append(c.expected, lines(ch.new, string(before), string(after))...)
		}
	}
	return c.python(scripts)
}

func inTestdata(file string) bool {
	return strings.Contains(file, "/testdata/") || path.Ext(file) == ".txtar"
}

// mark matches a comment that a tool reads, in languages other than Go.
var mark = regexp.MustCompile(`#!.*|# ?(?:v\d[\w.]*$|shellcheck |zizmor:|renovate:|yaml-language-server:|noqa|type: ?ignore|mypy:|ruff:|fmt:|isort:|pragma:|syntax=|escape=|check=).*|[/*] ?(?:eslint|prettier|stylelint|@ts-).*`)

func marks(text []byte) (found []string) {
	for line := range strings.Lines(string(text)) {
		if m := mark.FindString(strings.TrimSpace(line)); m != "" {
			found = append(found, m)
		}
	}
	return found
}

// lines describes the lines that differ between two versions of a file.
func lines(file, before, after string) (found []string) {
	old, new := strings.Split(before, "\n"), strings.Split(after, "\n")
	if len(old) == len(new) {
		for i := range old {
			if old[i] != new[i] {
				found = append(found, fmt.Sprintf("%s:%d: %q became %q", file, i+1, old[i], new[i]))
			}
		}
		return found
	}
	begin, end := 0, 0
	for begin < min(len(old), len(new)) && old[begin] == new[begin] {
		begin++
	}
	for end < min(len(old), len(new))-begin && old[len(old)-1-end] == new[len(new)-1-end] {
		end++
	}
	return []string{fmt.Sprintf("%s:%d: %q became %q", file, begin+1, strings.Join(old[begin:len(old)-end], "\n"), strings.Join(new[begin:len(new)-end], "\n"))}
}

// differs describes the difference between two versions of a file. It returns "" if only comments differ.
func differs(file string, before, after []byte) string {
	equal := func(read func(text []byte) (any, error)) string {
		b, err := read(before)
		if err != nil {
			return err.Error()
		}
		a, err := read(after)
		if err != nil {
			return err.Error()
		}
		if reflect.DeepEqual(b, a) {
			return ""
		}
		if b, isText := b.(string); isText {
			return "more than comments differ: " + strings.Join(lines("line", b, a.(string)), "; ")
		}
		return "more than comments differ"
	}
	switch ext := path.Ext(file); {
	case ext == ".toml":
		return equal(func(text []byte) (any, error) {
			var value map[string]any
			meta, err := toml.Decode(string(text), &value)
			return []any{value, meta.Keys()}, err
		})
	case ext == ".json":
		return equal(func(text []byte) (any, error) {
			var value any
			err := json.Unmarshal(text, &value)
			return dropDescriptions(value), err
		})
	case ext == ".yml" || ext == ".yaml":
		return equal(func(text []byte) (any, error) {
			var node yaml.Node
			err := yaml.Unmarshal(text, &node)
			return plain(&node), err
		})
	case ext == ".sh" || path.Base(file) == "run":
		return equal(func(text []byte) (any, error) { return script(string(text)) })
	case ext == ".js" || ext == ".css" || ext == ".html":
		return equal(func(text []byte) (any, error) { return stripComments(string(text), ext), nil })
	case ext == ".tmpl":
		return equal(func(text []byte) (any, error) {
			return dropHashComments(ofTemplate.ReplaceAllString(string(text), ""), true), nil
		})
	case slices.Contains([]string{".txt", ".in", ".ini", ".gitignore", ".dockerignore", ".coveragerc", ".Dockerfile", ""}, ext):
		return equal(func(text []byte) (any, error) { return dropHashComments(string(text), false), nil })
	case ext == ".mod":
		return equal(func(text []byte) (any, error) {
			return regexp.MustCompile(`(?m)^//.*\n`).ReplaceAllString(string(text), ""), nil
		})
	}
	return equal(func(text []byte) (any, error) { return string(text), nil })
}

// dropDescriptions removes descriptions from a JSON value, because they may be generated from Go comments.
func dropDescriptions(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if _, isText := value["description"].(string); isText {
			value["description"] = ""
		}
		for _, v := range value {
			dropDescriptions(v)
		}
	case []any:
		for _, v := range value {
			dropDescriptions(v)
		}
	}
	return value
}

// plain returns a YAML node without comments and positions.
func plain(n *yaml.Node) any {
	value := n.Value
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		value = dropHashComments(value, false)
	}
	content := []any{n.Kind, n.Tag, value, n.Anchor}
	for _, child := range n.Content {
		content = append(content, plain(child))
	}
	return content
}

// script returns a shell script without comments.
func script(text string) (string, error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(text), "")
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = syntax.NewPrinter(syntax.Minify(true)).Print(&out, file)
	return out.String(), err
}

var (
	ofTemplate = regexp.MustCompile(`\{\{-? ?/\*[\s\S]*?\*/ ?-?\}\}\n?`)
	quotes     = regexp.MustCompile(`"[^"\n]*"|'[^'\n]*'`)
)

// dropHashComments returns a text without the lines that are # comments. If trailing is set, it also removes # comments at the end of other lines.
func dropHashComments(text string, trailing bool) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		hidden := quotes.ReplaceAllStringFunc(line, func(q string) string { return strings.Repeat("x", len(q)) })
		if i := strings.Index(hidden, " # "); i >= 0 && trailing && !strings.ContainsAny(hidden, `"'`) {
			line = strings.TrimRight(line[:i], " ") + "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}

// stripComments returns JavaScript, CSS or HTML code without comments. It skips comment markers inside of strings.
func stripComments(text, ext string) string {
	comments := map[string]string{".js": `//[^\n]*|/\*[\s\S]*?\*/`, ".css": `/\*[\s\S]*?\*/`, ".html": `<!--[\s\S]*?-->`}[ext]
	whole := regexp.MustCompile("(?:" + comments + ")|\"(?:\\\\.|[^\"\\\\\n])*\"|'(?:\\\\.|[^'\\\\\n])*'|`(?:\\\\.|[^`\\\\])*`")
	if ext == ".html" { // in HTML, quotes and apostrophes are ordinary text
		whole = regexp.MustCompile(comments)
	}
	text = whole.ReplaceAllStringFunc(text, func(found string) string {
		if strings.ContainsAny(found[:1], "\"'`") {
			return found
		}
		return ""
	})
	return regexp.MustCompile(`[ \t]*\n\s*`).ReplaceAllString(text, "\n")
}

//go:embed words.py
var wordsOfPython string

// python compares the syntax trees of Python files. Strings in tests may differ, and are reported as expected texts.
func (c *comparison) python(scripts []change) error {
	if len(scripts) == 0 {
		return nil
	}
	var files []string
	for _, ch := range scripts {
		files = append(files, filepath.Join(c.old.root, ch.old), filepath.Join(c.new.root, ch.new))
	}
	input, err := json.Marshal(files)
	if err != nil {
		return err
	}
	cmd := exec.Command("python3", "-c", wordsOfPython)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(input)), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("reading Python: %w", err)
	}
	var read []struct {
		Code  string
		Texts []struct {
			Line int
			Text string
		}
	}
	if err := json.Unmarshal(out, &read); err != nil {
		return err
	}
	for i, ch := range scripts {
		before, after := read[2*i], read[2*i+1]
		if before.Code != after.Code {
			old, new := []rune(before.Code), []rune(after.Code)
			at := 0
			for at < min(len(old), len(new)) && old[at] == new[at] {
				at++
			}
			part := func(code []rune) string { return string(code[max(0, at-60):min(len(code), at+60)]) }
			c.found = append(c.found, finding{at: ch.new, says: fmt.Sprintf("the code differs: …%s… became …%s…", part(old), part(new))})
			continue
		}
		for j, was := range before.Texts {
			if is := after.Texts[j]; is.Text != was.Text {
				c.expected = append(c.expected, fmt.Sprintf("%s:%d: %q became %q", ch.new, is.Line, was.Text, is.Text))
			}
		}
	}
	return nil
}
