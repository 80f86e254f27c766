package proof

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/docker/cli/cli/config"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// HasSecretProxies reports whether docker, whose configuration lies in dir, gives builds a proxy that has a password: buildx makes build
// arguments of docker's "proxies".
func HasSecretProxies(dir string) (bool, error) {
	file, err := config.Load(dir)
	if err != nil {
		return false, operr.New("correct it, or name another folder in DOCKER_CONFIG", "reading docker's configuration: %w", err)
	}
	for _, p := range file.Proxies {
		for _, address := range []string{p.HTTPProxy, p.HTTPSProxy, p.FTPProxy, p.AllProxy} {
			if FindCredential(address) != "" || hasBareCredential(address) {
				return true, nil
			}
		}
	}
	return false, nil
}

// FindCredentials says, by an error, what of an image that is about to be tagged holds a credential: its manifests, its configuration with
// labels, variables and history, and what is attested about it. Whoever may read the image reads all of that. name is that of what it is made
// of, and environ the environment whose secrets must not be in it.
func FindCredentials(i *registry.Index, name string, pushed bool, environ []string) error {
	return i.EachText(func(what string, text []byte) error {
		where, is := locateCredential(text, environ)
		if is == "" {
			return nil
		}
		where = strings.TrimSuffix(", at "+where, ", at ")
		next := "take it out of what the build is given, such as a build argument, an address in the Dockerfile or docker's proxies: a step gets it by RUN --mount=type=secret. No tag was moved"
		if pushed {
			next += "; change it, since the image is in the registry by its digest"
		}
		return operr.New(next, "%s of %s has %s%s", what, name, is, where)
	})
}

// locateCredential finds the first credential in a JSON text, or in one of another kind, and names its place: the key that it stands
// under. is says what it is; "" where there is none.
func locateCredential(text []byte, environ []string) (where, is string) {
	if name := command.Reveals(text, environ); name != "" {
		return "", "the secret of " + name + " in it"
	}
	d := json.NewDecoder(bytes.NewReader(text))
	var keys []string // of the objects that are open; "" for a list
	value := true     // what comes is no key
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return "", ""
		}
		if err != nil {
			return "", FindCredential(string(text))
		}
		switch t := t.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				keys = append(keys, "")
				value = t == '['
				continue
			}
			keys = keys[:len(keys)-1]
		case string:
			key := lastKey(keys, value)
			if is := FindCredential(t); is != "" {
				return key, is
			}
			if isProxy().MatchString(key) && hasBareCredential(t) {
				return key, "a password in an address"
			}
			if decoded, err := base64.StdEncoding.DecodeString(t); err == nil && utf8.Valid(decoded) {
				if is := FindCredential(string(decoded)); is != "" {
					return lastKey(keys, value), is
				}
			}
			if !value {
				keys[len(keys)-1], value = t, true
				continue
			}
		}
		value = len(keys) == 0 || keys[len(keys)-1] == ""
	}
}

// lastKey is the key that a value stands under, or none where the key itself is meant.
func lastKey(keys []string, value bool) string {
	for _, k := range slices.Backward(keys) {
		if k != "" && value {
			return k
		}
	}
	return ""
}

var (
	address = lazyregexp.New(`([A-Za-z][A-Za-z0-9+.-]*)://([^\s/?#"'<>@\\]+)@`)
	inPath  = lazyregexp.New(`://[^\s/]+/t/([A-Za-z0-9-]{8,})/([^\s/?#"'<>]*)`)
	isProxy = lazyregexp.New(`(?i)_proxy$`)
	proxy   = lazyregexp.New(`(?i)_proxy["']?[=\s]["']?([^\s/"'<>@=]+@)`)
	bearer  = lazyregexp.New(`(?i)\bauthorization["']?:\s*["']?(?:bearer|basic|token)\s+([\w.~+/=-]{16,})`)
	// variable is what stands for a value in a text: of a shell, a template, or a format.
	variable = lazyregexp.New(`\$(?:\w+|[@*#?])|[$%]?\{[^{}]*\}|%[sv]|%\(\w+\)s`)
	tokens   = lazyregexp.New(`\b(?:gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|oas)-[\w-]{20,}|pfx_[A-Za-z0-9]{20,}|(?:AKIA|ASIA)[0-9A-Z]{16}` +
		`|xox[abeprs]-[\w-]{10,}|pypi-AgE\w{20,}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,}|dckr_[po]at_[\w-]{20,}|sk_live_[A-Za-z0-9]{20,}|sk-(?:ant|proj)-[\w-]{20,}` +
		`|AKCp[A-Za-z0-9]{60,}|cmVmdGtuO[A-Za-z0-9]{30,}|eyJ[\w-]{15,}\.eyJ[\w-]{10,}\.[\w-]{20,})\b|-----BEGIN [A-Z ]*PRIVATE KEY-----`)
)

// examples are what texts write for a name and a password.
var examples = []string{"user:password", "username:password", "user:pass", "name:password", "user:passwd", "user:pw", "scott:tiger", "foo:bar"}

// FindCredential says what kind of credential stands in a text; "" for none. Of an address it is the password, or a name that is as
// long as a token. Variables are none, nor what others have masked, nor a password that is the name: a service's own default.
func FindCredential(text string) string {
	for _, m := range address().FindAllStringSubmatch(text, -1) {
		scheme, user := strings.ToLower(m[1]), m[2]
		name, password, set := strings.Cut(user, ":")
		switch {
		case scheme == "docker-image" || scheme == "oci-layout" || strings.Trim(user, "x*:") == "":
		case slices.Contains(examples, strings.ToLower(user)) || strings.EqualFold(name, password) && len(name) < 20:
		case set && isLiteral(password) && strings.Trim(password, "x*") != "":
			return "a password in an address"
		case len(name) >= 20 && password == "" && isLiteral(name):
			return "a token in an address"
		}
	}
	for _, m := range inPath().FindAllStringSubmatch(text, -1) {
		_, topic := strconv.Atoi(m[2]) // of a forum, which has its number behind its title
		if strings.ContainsAny(m[1], digits) && topic != nil {
			return "a token in the address of a channel"
		}
	}
	for _, t := range tokens().FindAllString(text, -1) {
		if !strings.HasSuffix(t, "EXAMPLE") { // of AWS's manuals
			return "a token or a key"
		}
	}
	lower := strings.ToLower(text) // an SBOM is long, and most of its texts have none of these words
	if !strings.Contains(lower, "authorization") && !strings.Contains(lower, "_proxy") {
		return ""
	}
	for _, m := range bearer().FindAllStringSubmatch(text, -1) {
		if strings.ContainsAny(m[1], digits) {
			return "a token or a key"
		}
	}
	for _, m := range proxy().FindAllStringSubmatch(text, -1) {
		if hasBareCredential(m[1]) {
			return "a password in an address"
		}
	}
	return ""
}

const digits = "0123456789"

// isLiteral reports whether a text is more than variables.
func isLiteral(text string) bool {
	return !variable().MatchString(text) ||
		strings.ContainsFunc(variable().ReplaceAllString(text, ""), func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// hasBareCredential reports whether an address without a scheme, as proxies are written, has a password.
func hasBareCredential(address string) bool {
	return !strings.Contains(address, "://") && FindCredential("http://"+address) != ""
}
