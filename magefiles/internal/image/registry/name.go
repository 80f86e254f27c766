package registry

import (
	"net"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// The grammar of references, from distribution's reference package: a registry host that Docker recognizes (with a dot, a port, or localhost), and
// lower-case path components.
var (
	host      = lazyregexp.New(`^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|localhost:\d+|[a-z0-9-]+(\.[a-z0-9-]+)*:\d+|\[[0-9a-f:]+\](:\d+)?)$`)
	component = lazyregexp.New(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`)
)

// maxRepository is the maximum length of a repository name that registries accept, including the host.
const maxRepository = 255

// Repository returns the full name of an image's repository: the registry (host and owner) and the name, in lower case, as registries require.
// Errors are about the spelling, with exit status 2.
func Repository(registry, name string) (string, error) {
	full := strings.ToLower(strings.TrimSuffix(registry, "/") + "/" + name)
	parts := strings.Split(full, "/")
	const next = "write HOST/OWNER, such as ghcr.io/someone or 127.0.0.1:5000/someone, into IMAGE_REGISTRY or registry of [tool.image]"
	if !host().MatchString(parts[0]) {
		return "", operr.NewUsage(next, "%q is not a valid registry, because %q is not the name of a host", registry, parts[0])
	}
	if _, port, err := net.SplitHostPort(parts[0]); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", operr.NewUsage(next, "%q is not a valid registry, because %s is not a port number", registry, port)
		}
	}
	for _, p := range parts[1:] {
		if !component().MatchString(p) {
			return "", operr.NewUsage(next+"; a name consists of letters and digits, with single \".\", \"_\" or \"-\" between them",
				"%s cannot be the name of an image: %q is not allowed in it", full, p)
		}
	}
	if len(full) > maxRepository {
		return "", operr.NewUsage("shorten the name", "%s… cannot be the name of an image: it has %d characters, but at most %d are allowed", full[:40], len(full), maxRepository)
	}
	return full, nil
}

// maxTag is the maximum length of a tag that registries accept.
const maxTag = 128

// isTag reports whether a text is a valid tag: letters, digits and _, and, except at the start, . and -.
func isTag(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
		if !letter && (i == 0 || c != '.' && c != '-') {
			return false
		}
	}
	return text != "" && len(text) <= maxTag
}

// CheckTag returns an error with exit status 2 if a text is not a valid tag.
func CheckTag(tag string) error {
	if isTag(tag) {
		return nil
	}
	return operr.NewUsage("begin the tag with a letter, a digit or \"_\"; \".\" and \"-\" may follow", "%q cannot be a tag", tag)
}
