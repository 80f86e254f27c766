package registry

import (
	"net"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// The grammar of references, of distribution's reference package: a host that Docker takes as one (with a dot, a port, or
// localhost), and lower-case components.
var (
	host      = lazyregexp.New(`^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|localhost:\d+|[a-z0-9-]+(\.[a-z0-9-]+)*:\d+|\[[0-9a-f:]+\](:\d+)?)$`)
	component = lazyregexp.New(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`)
)

// maxRepository is the longest repository that registries take, host included.
const maxRepository = 255

// Repository is where an image is kept: registry (host and owner) and name, in lower case, as registries want it. Errors
// are about the spelling, with exit status 2.
func Repository(registry, name string) (string, error) {
	full := strings.ToLower(strings.TrimSuffix(registry, "/") + "/" + name)
	parts := strings.Split(full, "/")
	const next = "write HOST/OWNER, such as ghcr.io/someone or 127.0.0.1:5000/someone, into IMAGE_REGISTRY or registry of [tool.image]"
	if !host().MatchString(parts[0]) {
		return "", operr.NewUsage(next, "%q is no registry: %q is not a host", registry, parts[0])
	}
	if _, port, err := net.SplitHostPort(parts[0]); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", operr.NewUsage(next, "%q is no registry: %s is no port", registry, port)
		}
	}
	for _, p := range parts[1:] {
		if !component().MatchString(p) {
			return "", operr.NewUsage(next+"; names have letters, digits, and single . _ - between them",
				"%s cannot be the name of an image: %q is not allowed in it", full, p)
		}
	}
	if len(full) > maxRepository {
		return "", operr.NewUsage("shorten it", "%s… cannot be the name of an image: it has %d characters, and may have %d", full[:40], len(full), maxRepository)
	}
	return full, nil
}

// maxTag is the longest tag that registries take.
const maxTag = 128

// isTag reports whether a text may be a tag: letters, digits and _, and behind the first character . and - too.
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

// CheckTag refuses what cannot be a tag, with exit status 2.
func CheckTag(tag string) error {
	if isTag(tag) {
		return nil
	}
	return operr.NewUsage("use letters, digits, and . _ - after the first character", "%q cannot be a tag", tag)
}
