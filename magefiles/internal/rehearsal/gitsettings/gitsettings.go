// Package gitsettings selects the user's git settings for a rehearsal. It keeps those for committing, and drops those that redirect git to other
// places, contact a real remote, or sign. It also runs git for a rehearsal.
package gitsettings

import (
	"fmt"
	"slices"
	"strings"
)

// Setting is one line of `git config --list`.
type Setting struct{ Key, Value string }

// `elsewhere` lists the settings that are dropped. Names that end in a dot are whole sections.
var elsewhere = []string{
	"remote.", "remotes.", "url.", "branch.", "push.", "pull.", "fetch.", "credential.", "http.", "https.", // these lead git to other places
	"submodule.", "lfs.url", "lfs.pushurl", "remote.pushdefault", "core.sshcommand", "core.gitproxy",
	"include.", "includeif.", // git itself lists the settings of included files
	"core.bare", "core.worktree", "core.repositoryformatversion", "extensions.", // specific to one repository
	"core.hookspath", "init.templatedir", // hooks are selected individually
	"core.sparsecheckout", "core.sparsecheckoutcone", "core.fsmonitor", "index.", "maintenance.", "gc.",
	"receive.", "transfer.", "uploadpack.", "protocol.", "safe.barerepository",
	"commit.gpgsign", "tag.gpgsign", "tag.forcesignannotated", // a rehearsal signs nothing with the user's key
}

// Read parses the output of `git config --list --null`. The last value of a key wins.
func Read(listed string) (all []Setting) {
	for entry := range strings.SplitSeq(listed, "\x00") {
		key, value, valued := strings.Cut(entry, "\n")
		if key == "" {
			continue
		}
		if !valued {
			value = "true" // a key without "="
		}
		all = append(all, Setting{Key: key, Value: value})
	}
	return all
}

// takesPart reports whether a setting is kept.
func (s Setting) takesPart() bool {
	key := strings.ToLower(s.Key)
	return !slices.ContainsFunc(elsewhere, func(e string) bool {
		return key == e || strings.HasSuffix(e, ".") && strings.HasPrefix(key, e)
	})
}

// Write formats the settings that are kept as a git configuration file.
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

// quote quotes a value for a git configuration file.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\b", `\b`).Replace(text) + `"`
}

// Signs reports whether the user signs commits or tags.
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
