package settings

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Config is the [tool.release] table of the root manifest.
type Config struct {
	Channel    string            `json:"channel"`               // name of the channel on prefix.dev; default: the workspace's name, where the manifest has one that fits
	Named      bool              `json:"-"`                     // the table itself names the channel
	Versioning string            `json:"versioning"`            // "lockstep", where all packages have one version, or "independent", where each has its own; default "lockstep"
	Publish    string            `json:"publish"`               // who uploads: "ci", where the tag starts a workflow, or "here", where the release does; default "ci"
	Land       string            `json:"land"`                  // how a release gets into its branch: "push", where it is pushed, or "pull-request", where it is proposed; default "push"
	Branches   []string          `json:"branches,omitempty"`    // that releases are made from: a name, a pattern such as 1.*, or a list of them; default: the remote's default branch
	Branch     string            `json:"branch"`                // the first of Branches that is a name and no pattern; "" where there is none
	Remote     string            `json:"remote"`                // git remote that tags are pushed to; default "origin"
	Commit     string            `json:"commit"`                // message of a release's commit, in which {title} is what is released; default "chore(release): {title}"
	TagMessage string            `json:"tag-message"`           // message of each tag, in which {title} is what is released; default "{title}"
	Changelog  string            `json:"changelog,omitempty"`   // Markdown file from the root that a release writes into; default: CHANGELOG.md, HISTORY.md or CHANGES.md
	Include    []string          `json:"include,omitempty"`     // files and folders from the root that builds need though git ignores them; default: none
	Secret     string            `json:"secret,omitempty"`      // name of the CI's secret by which release.yml publishes; default: trusted publishing
	ReadSecret string            `json:"read-secret,omitempty"` // name of the CI's secret by which release.yml reads a private channel; default: none
	Pass       []string          `json:"pass,omitempty"`        // variables that tasks, builds and hooks get though they may hold a credential; default: none
	Copies     []Copy            `json:"-"`                     // files from the root in which a bump replaces the old version as well; default: none
	Ignore     []string          `json:"ignore,omitempty"`      // folders and manifests that are no part of the workspace, as .gitignore has patterns; default: none
	PyPI       []StandIn         `json:"-"`                     // what stands for a conda package where there is no conda: a project on PyPI, a program, or false, which leaves it out
	Actions    map[string]string `json:"-"`                     // stand-ins for actions of workflow files, in a rehearsal: "nothing", or the path of a composite action; default: none
	Pos        manifest.Pos      `json:"-"`                     // of the table; zero where there is none
}

// What Config.Commit and Config.TagMessage are where they are not configured, and what stands in them for what is released.
const (
	TitlePlaceholder  = "{title}"
	DefaultCommit     = "chore(release): " + TitlePlaceholder
	DefaultTagMessage = TitlePlaceholder
)

// The values of Config.Versioning and Config.Publish.
const (
	Lockstep    = "lockstep"    // all packages have one version; the tag is v<version>
	Independent = "independent" // each has its own; tags are <package>/v<version>
	PublishCI   = "ci"          // the tag starts a workflow that uploads
	PublishHere = "here"        // the release uploads by itself
)

// The values of Config.Land: by what the commit of a release comes to its branch.
const (
	LandByPush = "push"
	LandByPull = "pull-request"
)

// ReadConfig reads [tool.release], which pixi ignores, from the root manifest. channel is the default channel; "" for none.
func ReadConfig(s *manifest.File, channel string) Config {
	c := Config{Channel: channel, Versioning: Lockstep, Publish: PublishCI, Land: LandByPush, Remote: "origin", Commit: DefaultCommit, TagMessage: DefaultTagMessage}
	refuseMisspelt(s, "release")
	n := s.Doc.Root.Get("tool", "release")
	if n == nil || !s.Want(n, tomledit.Table) {
		return c
	}
	c.Pos = s.Pos(n)
	c.Named = n.Has("channel")
	fields := map[string]*string{
		"channel": &c.Channel, "versioning": &c.Versioning, "publish": &c.Publish, "land": &c.Land, "remote": &c.Remote,
		"commit": &c.Commit, "tag-message": &c.TagMessage, "changelog": &c.Changelog,
		"secret": &c.Secret, "read-secret": &c.ReadSecret,
	}
	keys := []string{"branch", "copies", "ignore", "include", "pass", "pypi", "actions"}
	for k := range fields {
		keys = append(keys, k)
	}
	for _, e := range n.Children {
		if e.Key == "branch" {
			readBranches(s, e, &c)
			continue
		}
		if e.Key == "include" {
			readInclude(s, e, &c)
			continue
		}
		if e.Key == "copies" {
			readCopies(s, e, &c)
			continue
		}
		if e.Key == "ignore" {
			readIgnore(s, e, &c)
			continue
		}
		if e.Key == "pass" {
			readPass(s, e, &c)
			continue
		}
		if e.Key == "pypi" {
			readPyPI(s, e, &c)
			continue
		}
		if e.Key == "actions" {
			readActions(s, e, &c)
			continue
		}
		field, ok := fields[e.Key]
		if !ok {
			s.FailKey(e, "[tool.release]", keys)
			continue
		}
		if *field = s.Str(e); strings.TrimSpace(*field) == "" {
			s.Fail(e, "give it a value, or remove it", "%s is empty", e.Key)
		}
	}
	s.NoOption(n.Get("channel"), n.Get("remote"))
	checkValue(s, n.Get("versioning"), Lockstep, Independent)
	checkValue(s, n.Get("publish"), PublishCI, PublishHere)
	checkValue(s, n.Get("land"), LandByPush, LandByPull)
	checkMessage(s, n.Get("commit"))
	checkMessage(s, n.Get("tag-message"))
	checkChangelog(s, n.Get("changelog"))
	checkSecret(s, n.Get("secret"))
	checkSecret(s, n.Get("read-secret"))
	return c
}

// checkChangelog refuses what is no Markdown file of the workspace.
func checkChangelog(s *manifest.File, n *tomledit.Node) {
	if !n.Is(tomledit.String) {
		return // said by Str
	}
	file := n.Text()
	switch {
	case !filepath.IsLocal(filepath.FromSlash(file)) || path.Clean(file) != file || strings.ContainsAny(file, `\*?[`) || strings.ContainsFunc(file, unicode.IsControl):
		s.Fail(n, `name a file by its path from the workspace's root: "docs/changes.md"`, "changelog cannot be %q", file)
	case slices.ContainsFunc(strings.Split(file, "/"), func(name string) bool { return strings.EqualFold(name, ".git") }):
		s.Fail(n, "name a file that is committed", "changelog cannot be %q: what git keeps there is of this clone alone", file)
	case !strings.EqualFold(path.Ext(file), ".md"):
		s.Fail(n, "name a file that ends in .md; one in another form is left to yourself, without this line", "changelog cannot be %q: it is written in Markdown", file)
	}
}

// readInclude reads the files that builds need though git ignores them.
func readInclude(s *manifest.File, n *tomledit.Node, c *Config) {
	for i, file := range s.Strs(n) {
		clean := path.Clean(file)
		if file == "" || !filepath.IsLocal(filepath.FromSlash(clean)) || clean == "." || strings.ContainsAny(file, `*?[\`+"\x00\r\n") {
			s.Fail(n.Children[i], `name a file or a folder by its path from the workspace's root: "a/src/a/_version.py"`, "include cannot be %q", file)
			continue
		}
		if slices.ContainsFunc(strings.Split(clean, "/"), func(name string) bool { return strings.EqualFold(name, ".git") }) {
			s.Fail(n.Children[i], "name what builds need", "include cannot be %q: what git keeps there is of this clone alone", file)
			continue
		}
		c.Include = append(c.Include, clean)
	}
}

// readIgnore reads the patterns of what is no part of the workspace.
func readIgnore(s *manifest.File, n *tomledit.Node, c *Config) {
	for i, pattern := range s.Strs(n) {
		if strings.TrimSpace(pattern) == "" || strings.HasPrefix(pattern, "!") || strings.HasPrefix(pattern, "#") || strings.ContainsAny(pattern, "\x00\r\n") {
			s.Fail(n.Children[i], `name folders as .gitignore does: "tests/**"`, "ignore cannot have %q", pattern)
			continue
		}
		c.Ignore = append(c.Ignore, pattern)
	}
}

// variable is the name of one, without a pattern: each is named on its own.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// key is how the keys of servers begin: prefix.dev's, and those of GitHub, GitLab, PyPI, npm, Hugging Face and AWS. npm reads variables that begin as
// its keys do, such as npm_config_userconfig.
var key = regexp.MustCompile(`^(?:(?:pfx|gh[opsur]|github_pat|hf)_|npm_[0-9A-Za-z]+$|(?:pfx|glpat|pypi)-|(?:AKIA|ASIA)[0-9A-Z]{16}$)`)

// RefuseKey returns an error where a key stands in place of a name, without it; nil where none does. what is the setting.
func RefuseKey(what, text string) error {
	if !key.MatchString(text) {
		return nil
	}
	return operr.New("withdraw the key where it was made, if anybody has seen the file; then name the secret or the variable that has it",
		"%s has what looks like a key, and takes a name", what)
}

// failKey makes a problem of a key in place of a name.
func failKey(s *manifest.File, n *tomledit.Node, what string) bool {
	err := RefuseKey(what, n.Text())
	if err != nil {
		s.Fail(n, operr.NextOf(err), "%w", err)
	}
	return err != nil
}

// checkSecret refuses what is not the name of a secret of GitHub's.
func checkSecret(s *manifest.File, n *tomledit.Node) {
	if n.Is(tomledit.String) && !failKey(s, n, n.Key) && (!variable.MatchString(n.Text()) || strings.HasPrefix(strings.ToUpper(n.Text()), "GITHUB_")) {
		s.Fail(n, "name the secret, and keep its value out of the file: "+n.Key+` = "PREFIX_API_KEY"`, "%s cannot be %q, which is not the name of a secret", n.Key, n.Text())
	}
}

// readPass reads the variables that tasks, builds and hooks get though they may hold a credential.
func readPass(s *manifest.File, n *tomledit.Node, c *Config) {
	for i, name := range s.Strs(n) {
		if failKey(s, n.Children[i], n.Key) {
			continue
		}
		if !variable.MatchString(name) {
			s.Fail(n.Children[i], `name each variable: pass = ["MY_TEST_TOKEN"]`, "pass cannot be %q", name)
			continue
		}
		if command.Publishes(name) {
			s.Fail(n.Children[i], "give the test a key of its own, by another name", "pass cannot be %q: whoever has it may publish", name)
			continue
		}
		c.Pass = append(c.Pass, name)
	}
}

// placeholder is what looks like one in a message. Any other brace stands for itself.
var placeholder = regexp.MustCompile(`\{\w*\}`)

// checkMessage looks at the template of a message. It may do without a placeholder: a release is not known by its message.
func checkMessage(s *manifest.File, n *tomledit.Node) {
	if !n.Is(tomledit.String) {
		return // said by Str
	}
	for _, word := range placeholder.FindAllString(n.Text(), -1) {
		if word != TitlePlaceholder {
			s.Fail(n, "write "+TitlePlaceholder+", which is what is released, or leave it out", "%s has no placeholder %s", n.Key, word)
		}
	}
	if strings.ContainsFunc(n.Text(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) {
		s.Fail(n, "leave it out", "%s has a control character, which git does not take", n.Key)
	}
}

// checkValue refuses a value that is none of those that there are.
func checkValue(s *manifest.File, n *tomledit.Node, allowed ...string) {
	if n.Is(tomledit.String) && !slices.Contains(allowed, n.Text()) {
		s.Fail(n, "correct it: "+manifest.Suggest(n.Text(), allowed)+manifest.ListNames(allowed)+".", "%s cannot be %q", n.Key, n.Text())
	}
}
