package workspace

import (
	"cmp"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// readConfig reads [tool.release], which pixi ignores, from the root manifest. channel is the default channel; "" for none.
func (s *source) readConfig(channel string) Config {
	c := Config{Channel: channel, Versioning: Lockstep, Publish: PublishCI, Remote: "origin", Commit: DefaultCommit, TagMessage: DefaultTagMessage}
	n := s.doc.Root.Get("tool", "release")
	if n == nil || !s.want(n, tomledit.Table) {
		return c
	}
	c.Pos = s.pos(n)
	fields := map[string]*string{
		"channel": &c.Channel, "versioning": &c.Versioning, "publish": &c.Publish, "remote": &c.Remote,
		"commit": &c.Commit, "tag-message": &c.TagMessage,
	}
	keys := []string{"branch", "include", "pass", "pypi"}
	for k := range fields {
		keys = append(keys, k)
	}
	for _, e := range n.Children {
		if e.Key == "branch" {
			s.readBranches(e, &c)
			continue
		}
		if e.Key == "include" {
			s.readInclude(e, &c)
			continue
		}
		if e.Key == "pass" {
			s.readPass(e, &c)
			continue
		}
		if e.Key == "pypi" {
			s.readPyPI(e, &c)
			continue
		}
		field, ok := fields[e.Key]
		if !ok {
			s.failKey(e, "[tool.release]", keys)
			continue
		}
		if *field = s.str(e); strings.TrimSpace(*field) == "" {
			s.fail(e, "give it a value, or remove it", "%s is empty", e.Key)
		}
	}
	s.noOption(n.Get("channel"), n.Get("remote"))
	s.oneOf(n.Get("versioning"), Lockstep, Independent)
	s.oneOf(n.Get("publish"), PublishCI, PublishHere)
	s.message(n.Get("commit"))
	s.message(n.Get("tag-message"))
	return c
}

// noOption refuses values that a program would take for an option: each is given to one.
func (s *source) noOption(values ...*tomledit.Node) {
	for _, n := range values {
		if strings.HasPrefix(n.Text(), "-") {
			s.fail(n, "give it another name", "%s cannot be %q: it begins with a dash, as options do", cmp.Or(n.Key, "a value"), n.Text())
		}
	}
}

// readInclude reads the files that builds need though git ignores them.
func (s *source) readInclude(n *tomledit.Node, c *Config) {
	for i, file := range s.strs(n) {
		clean := path.Clean(file)
		if file == "" || !filepath.IsLocal(filepath.FromSlash(clean)) || clean == "." || strings.ContainsAny(file, `*?[\`+"\x00\r\n") {
			s.fail(n.Children[i], `name a file or a folder by its path from the workspace's root: "a/src/a/_version.py"`, "include cannot be %q", file)
			continue
		}
		if slices.ContainsFunc(strings.Split(clean, "/"), func(name string) bool { return strings.EqualFold(name, ".git") }) {
			s.fail(n.Children[i], "name what builds need", "include cannot be %q: what git keeps there is of this clone alone", file)
			continue
		}
		c.Include = append(c.Include, clean)
	}
}

// variable is the name of one, without a pattern: each is named on its own.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readPass reads the variables that tasks, builds and hooks get though they may hold a credential.
func (s *source) readPass(n *tomledit.Node, c *Config) {
	for i, name := range s.strs(n) {
		if !variable.MatchString(name) {
			s.fail(n.Children[i], `name each variable: pass = ["MY_TEST_TOKEN"]`, "pass cannot be %q", name)
			continue
		}
		if command.Publishes(name) {
			s.fail(n.Children[i], "give the test a key of its own, by another name", "pass cannot be %q: whoever has it may publish", name)
			continue
		}
		c.Pass = append(c.Pass, name)
	}
}

// placeholder is what looks like one in a message. Any other brace stands for itself.
var placeholder = regexp.MustCompile(`\{\w*\}`)

// message looks at the template of a message. It may do without a placeholder: a release is not known by its message.
func (s *source) message(n *tomledit.Node) {
	if !n.Is(tomledit.String) {
		return // said by str
	}
	for _, word := range placeholder.FindAllString(n.Text(), -1) {
		if word != TitlePlaceholder {
			s.fail(n, "write "+TitlePlaceholder+", which is what is released, or leave it out", "%s has no placeholder %s", n.Key, word)
		}
	}
	if strings.ContainsFunc(n.Text(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) {
		s.fail(n, "leave it out", "%s has a control character, which git does not take", n.Key)
	}
}

func (s *source) oneOf(n *tomledit.Node, allowed ...string) {
	if n.Is(tomledit.String) && !slices.Contains(allowed, n.Text()) {
		s.fail(n, "correct it: "+didYouMean(n.Text(), allowed)+known(allowed)+".", "%s cannot be %q", n.Key, n.Text())
	}
}
