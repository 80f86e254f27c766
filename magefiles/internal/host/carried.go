package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// starters are the keywords of an ssh_config by which ssh starts a program, loads a library, or reads a file that may have them.
var starters = []string{"proxycommand", "knownhostscommand", "localcommand", "pkcs11provider", "securitykeyprovider", "xauthlocation", "include"}

// Carried checks an ssh_config that a repository carries: to look at a host must run nothing that somebody wrote into a branch. A jump host is
// said by ProxyJump.
func Carried(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return operr.NewUsage("correct ssh_config in the environment's table", "the configuration for ssh cannot be read: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		words := strings.FieldsFunc(strings.ToLower(line), func(r rune) bool { return strings.ContainsRune(" \t\r\n\f\v=\"'!,", r) })
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if slices.Contains(starters, words[0]) || words[0] == "match" && slices.Contains(words, "exec") {
			return operr.NewUsage("say a jump host by ProxyJump; what else you need belongs into your own configuration, or into a file outside the repository",
				"%s is of the repository, and would have ssh run a program: %q", filepath.Base(file), strings.TrimSpace(line))
		}
	}
	return nil
}
