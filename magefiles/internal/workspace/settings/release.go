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
	Channel    string            `json:"channel"`               // name of the channel on prefix.dev; default: the workspace's name, if that is a valid name of a channel
	Named      bool              `json:"-"`                     // the table itself names the channel
	Versioning string            `json:"versioning"`            // "lockstep" if all packages share one version, or "independent" if each package has its own; default "lockstep"
	Publish    string            `json:"publish"`               // who uploads packages: "ci" (a workflow that the tag starts) or "here" (the release itself); default "ci"
	PublishSet bool              `json:"-"`                     // [tool.release] has the key publish
	Land       string            `json:"land"`                  // how a release gets onto its branch: "push" (the commit is pushed) or "pull-request" (it is proposed); default "push"
	Branches   []string          `json:"branches,omitempty"`    // branches that releases are made from: a name, a pattern such as 1.*, or a list; default: the remote's default branch
	Branch     string            `json:"branch"`                // the first of Branches that is a name, not a pattern; "" if there is none
	Remote     string            `json:"remote"`                // git remote that tags are pushed to; default "origin"
	Commit     string            `json:"commit"`                // message of the release commit; {title} stands for the title of the release; default "chore(release): {title}"
	TagMessage string            `json:"tag-message"`           // message of each tag; {title} stands for the title of the release; default "{title}"
	Changelog  string            `json:"changelog,omitempty"`   // Markdown file that a release writes into, relative to the root; default: CHANGELOG.md, HISTORY.md or CHANGES.md
	Include    []string          `json:"include,omitempty"`     // files and folders that builds need although git ignores them, relative to the root; default: none
	Secret     string            `json:"secret,omitempty"`      // name of the CI secret that release.yml publishes with; default: trusted publishing
	ReadSecret string            `json:"read-secret,omitempty"` // name of the CI secret that release.yml reads a private channel with; default: none
	Pass       []string          `json:"pass,omitempty"`        // variables that are passed to tasks, builds and hooks even if they may hold a credential; default: none
	Copies     []Copy            `json:"-"`                     // more files in which a bump replaces the old version, relative to the root; default: none
	Ignore     []string          `json:"ignore,omitempty"`      // folders and manifests that are not part of the workspace, as patterns like those of .gitignore; default: none
	PyPI       []StandIn         `json:"-"`                     // stand-ins for conda packages if there is no conda: a project on PyPI, a program, or false to leave the package out
	Actions    map[string]string `json:"-"`                     // stand-ins for actions of workflow files in a rehearsal: "nothing", or the path of a composite action; default: none
	Pos        manifest.Pos      `json:"-"`                     // of the table; zero if there is no table
}

// The defaults of Config.Commit and Config.TagMessage, and their placeholder for the title of a release.
const (
	TitlePlaceholder  = "{title}"
	DefaultCommit     = "chore(release): " + TitlePlaceholder
	DefaultTagMessage = TitlePlaceholder
)

// The values of Config.Versioning and Config.Publish.
const (
	Lockstep    = "lockstep"    // all packages have one version; the tag is v<version>
	Independent = "independent" // each package has its own version; tags are <package>/v<version>
	PublishCI   = "ci"          // the tag starts a workflow that uploads
	PublishHere = "here"        // the release itself uploads
)

// The values of Config.Land, which determines how a release commit gets onto its branch.
const (
	LandByPush = "push"
	LandByPull = "pull-request"
)

// ReadConfig reads [tool.release], which pixi ignores, from the root manifest. channel is the default channel, or "".
func ReadConfig(s *manifest.File, channel string) Config {
	c := Config{Channel: channel, Versioning: Lockstep, Publish: PublishCI, Land: LandByPush, Remote: "origin", Commit: DefaultCommit, TagMessage: DefaultTagMessage}
	refuseMisspelt(s, "release")
	n := s.Doc.Root.Get("tool", "release")
	if n == nil || !s.Want(n, tomledit.Table) {
		return c
	}
	c.Pos = s.Pos(n)
	c.Named, c.PublishSet = n.Has("channel"), n.Has("publish")
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
			s.Fail(e, "give the key a value, or remove the key", "%s is empty", e.Key)
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

// checkChangelog rejects a path that is not a Markdown file in the workspace.
func checkChangelog(s *manifest.File, n *tomledit.Node) {
	if !n.Is(tomledit.String) {
		return // Str has reported it
	}
	file := n.Text()
	switch {
	case !filepath.IsLocal(filepath.FromSlash(file)) || path.Clean(file) != file || strings.ContainsAny(file, `\*?[`) || strings.ContainsFunc(file, unicode.IsControl):
		s.Fail(n, `name a file by its path from the workspace's root: "docs/changes.md"`, "changelog cannot be %q", file)
	case slices.ContainsFunc(strings.Split(file, "/"), func(name string) bool { return strings.EqualFold(name, ".git") }):
		s.Fail(n, "name a file that is committed", "changelog cannot be %q: git commits no file in .git", file)
	case !strings.EqualFold(path.Ext(file), ".md"):
		s.Fail(n, "name a file that ends in .md; for another format, remove this line and write the changelog yourself", "changelog cannot be %q: a changelog is written in Markdown", file)
	}
}

// readInclude reads the paths of git-ignored files that builds need.
func readInclude(s *manifest.File, n *tomledit.Node, c *Config) {
	for i, file := range s.Strs(n) {
		clean := path.Clean(file)
		if file == "" || !filepath.IsLocal(filepath.FromSlash(clean)) || clean == "." || strings.ContainsAny(file, `*?[\`+"\x00\r\n") {
			s.Fail(n.Children[i], `name a file or a folder by its path from the workspace's root: "a/src/a/_version.py"`, "include cannot be %q", file)
			continue
		}
		if slices.ContainsFunc(strings.Split(clean, "/"), func(name string) bool { return strings.EqualFold(name, ".git") }) {
			s.Fail(n.Children[i], "name only files that builds need", "include cannot be %q: the files in .git belong to this clone alone", file)
			continue
		}
		c.Include = append(c.Include, clean)
	}
}

// readIgnore reads patterns of files and folders that do not belong to the workspace.
func readIgnore(s *manifest.File, n *tomledit.Node, c *Config) {
	for i, pattern := range s.Strs(n) {
		if strings.TrimSpace(pattern) == "" || strings.HasPrefix(pattern, "!") || strings.HasPrefix(pattern, "#") || strings.ContainsAny(pattern, "\x00\r\n") {
			s.Fail(n.Children[i], `name folders as .gitignore does: "tests/**"`, "ignore cannot have %q", pattern)
			continue
		}
		c.Ignore = append(c.Ignore, pattern)
	}
}

// variable matches a variable name. Wildcards are not allowed.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// key matches API keys by their prefix: those of prefix.dev, GitHub, GitLab, PyPI, npm, Hugging Face and AWS. Variables that start like
// an npm key, such as npm_config_userconfig, must not match.
var key = regexp.MustCompile(`^(?:(?:pfx|gh[opsur]|github_pat|hf)_|npm_[0-9A-Za-z]+$|(?:pfx|glpat|pypi)-|(?:AKIA|ASIA)[0-9A-Z]{16}$)`)

// RefuseKey returns an error if text looks like an API key instead of a name. The error does not contain the key. `what` is the name
// of the setting.
func RefuseKey(what, text string) error {
	if !key.MatchString(text) {
		return nil
	}
	return operr.New("revoke the key if anyone has seen the file; then write the name of the secret or the variable that has the key",
		"%s must be a name, but its value looks like a key", what)
}

// failKey reports whether n contains an API key instead of a name, and records a problem if so.
func failKey(s *manifest.File, n *tomledit.Node, what string) bool {
	err := RefuseKey(what, n.Text())
	if err != nil {
		s.Fail(n, operr.NextOf(err), "%w", err)
	}
	return err != nil
}

// checkSecret rejects a value that is not a valid name for a secret on GitHub.
func checkSecret(s *manifest.File, n *tomledit.Node) {
	if n.Is(tomledit.String) && !failKey(s, n, n.Key) && (!variable.MatchString(n.Text()) || strings.HasPrefix(strings.ToUpper(n.Text()), "GITHUB_")) {
		s.Fail(n, "name the secret, and keep its value out of the file: "+n.Key+` = "PREFIX_API_KEY"`, "%s cannot be %q, which is not the name of a secret", n.Key, n.Text())
	}
}

// readPass reads the names of variables that are passed to tasks, builds and hooks even if they may hold a credential.
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
			s.Fail(n.Children[i], "give the test a separate key, with another name", "pass cannot be %q: this variable allows publishing", name)
			continue
		}
		c.Pass = append(c.Pass, name)
	}
}

// placeholder matches anything that looks like a placeholder in a message. Other braces are literal.
var placeholder = regexp.MustCompile(`\{\w*\}`)

// checkMessage checks a message template. A placeholder is optional, because releases are never looked up by message.
func checkMessage(s *manifest.File, n *tomledit.Node) {
	if !n.Is(tomledit.String) {
		return // Str has reported it
	}
	for _, word := range placeholder.FindAllString(n.Text(), -1) {
		if word != TitlePlaceholder {
			s.Fail(n, "write "+TitlePlaceholder+", which stands for the title of the release, or remove the placeholder", "%s has no placeholder %s", n.Key, word)
		}
	}
	if strings.ContainsFunc(n.Text(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) {
		s.Fail(n, "remove the control character", "%s has a control character, which git does not accept", n.Key)
	}
}

// checkValue rejects a value that is not in `allowed`.
func checkValue(s *manifest.File, n *tomledit.Node, allowed ...string) {
	if n.Is(tomledit.String) && !slices.Contains(allowed, n.Text()) {
		s.Fail(n, "correct the value: "+manifest.Suggest(n.Text(), allowed)+manifest.ListNames(allowed)+".", "%s cannot be %q", n.Key, n.Text())
	}
}
