// Package gitsettings says which of a person's settings of git take part in a rehearsal: those of how they commit, and none that leads to another place,
// speaks to a real remote, or signs. It runs git where a rehearsal needs it.
package gitsettings

import (
	"fmt"
	"slices"
	"strings"
)

// Setting is one line of `git config --list`.
type Setting struct{ Key, Value string }

// elsewhere are the settings that take no part. Those that end in a dot are whole sections.
var elsewhere = []string{
	"remote.", "remotes.", "url.", "branch.", "push.", "pull.", "fetch.", "credential.", "http.", "https.", // other places
	"submodule.", "lfs.url", "lfs.pushurl", "remote.pushdefault", "core.sshcommand", "core.gitproxy",
	"include.", "includeif.", // what they include is listed by itself
	"core.bare", "core.worktree", "core.repositoryformatversion", "extensions.", // of the one repository
	"core.hookspath", "init.templatedir", // the hooks that run are chosen one by one
	"core.sparsecheckout", "core.sparsecheckoutcone", "core.fsmonitor", "index.", "maintenance.", "gc.",
	"receive.", "transfer.", "uploadpack.", "protocol.", "safe.barerepository",
	"commit.gpgsign", "tag.gpgsign", "tag.forcesignannotated", // nothing is signed: it would bear the person's signature
}

// Read reads what `git config --list --null` prints. The last one of a key counts most.
func Read(listed string) (all []Setting) {
	for entry := range strings.SplitSeq(listed, "\x00") {
		key, value, valued := strings.Cut(entry, "\n")
		if key == "" {
			continue
		}
		if !valued {
			value = "true" // a key alone
		}
		all = append(all, Setting{Key: key, Value: value})
	}
	return all
}

// takesPart reports whether a setting is one of how a person commits.
func (s Setting) takesPart() bool {
	key := strings.ToLower(s.Key)
	return !slices.ContainsFunc(elsewhere, func(e string) bool {
		return key == e || strings.HasSuffix(e, ".") && strings.HasPrefix(key, e)
	})
}

// Write makes a configuration file of git of the settings that take part.
func Write(settings []Setting) string {
	var b strings.Builder
	for _, s := range settings {
		dot := strings.LastIndexByte(s.Key, '.')
		if dot < 0 || !s.takesPart() {
			continue
		}
		section, name := s.Key[:dot], s.Key[dot+1:]
		if first, sub, ok := strings.Cut(section, "."); ok {
			section = first + " " + quote(sub)
		}
		fmt.Fprintf(&b, "[%s]\n\t%s = %s\n", section, name, quote(s.Value))
	}
	return b.String()
}

// quote writes a text as git reads it in a configuration file.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\b", `\b`).Replace(text) + `"`
}

// Signs reports whether the person signs commits or tags.
func Signs(settings []Setting) bool {
	signs := map[string]bool{}
	for _, s := range settings {
		switch key := strings.ToLower(s.Key); key {
		case "commit.gpgsign", "tag.gpgsign", "tag.forcesignannotated":
			signs[key] = !slices.Contains([]string{"false", "no", "off", "0", ""}, strings.ToLower(s.Value))
		}
	}
	return signs["commit.gpgsign"] || signs["tag.gpgsign"] || signs["tag.forcesignannotated"]
}
