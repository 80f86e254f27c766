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

// HasSecretProxies reports whether docker, configured in dir, passes a proxy with a password to builds. buildx turns the "proxies" setting into
// build arguments.
func HasSecretProxies(dir string) (bool, error) {
	file, err := config.Load(dir)
	if err != nil {
		return false, operr.New("correct config.json, or name another folder in DOCKER_CONFIG", "reading docker's configuration: %w", err)
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

// FindCredentials returns an error if a text of an image contains a credential. The texts are the manifests, the configurations with labels,
// variables and history, and the attestations; anyone who can read the image can read them. `name` is the downstream's name. `environ` is the
// environment whose secrets must not be in the image.
func FindCredentials(i *registry.Index, name string, pushed bool, environ []string) error {
	return i.EachText(func(what string, text []byte) error {
		where, is := locateCredential(text, environ)
		if is == "" {
			return nil
		}
		where = strings.TrimSuffix(", at "+where, ", at ")
		next := "remove this secret from the build arguments, from the addresses in the Dockerfile and from docker's proxy settings; a step can read a secret with RUN --mount=type=secret. No tag was moved"
		if pushed {
			next += "; replace this secret with a new one, because the image is already in the registry, under its digest"
		}
		return operr.New(next, "%s of %s has %s%s", what, name, is, where)
	})
}

// locateCredential finds the first credential in a text. If the text is JSON, `where` is the credential's key. `is` describes the kind of
// credential, or is "" if there is none.
func locateCredential(text []byte, environ []string) (where, is string) {
	if name := command.Reveals(text, environ); name != "" {
		return "", "the value of the variable " + name + " in it"
	}
	d := json.NewDecoder(bytes.NewReader(text))
	var keys []string // keys of the enclosing objects; "" for a list
	value := true     // the next token is a value, not a key
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

// lastKey returns the key of a value, or "" for a key.
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
	// variable matches a placeholder in shell, template or format syntax.
	variable = lazyregexp.New(`\$(?:\w+|[@*#?])|[$%]?\{[^{}]*\}|%[sv]|%\(\w+\)s`)
	tokens   = lazyregexp.New(`\b(?:gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|oas)-[\w-]{20,}|pfx_[A-Za-z0-9]{20,}|(?:AKIA|ASIA)[0-9A-Z]{16}` +
		`|xox[abeprs]-[\w-]{10,}|pypi-AgE\w{20,}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,}|dckr_[po]at_[\w-]{20,}|sk_live_[A-Za-z0-9]{20,}|sk-(?:ant|proj)-[\w-]{20,}` +
		`|AKCp[A-Za-z0-9]{60,}|cmVmdGtuO[A-Za-z0-9]{30,}|eyJ[\w-]{15,}\.eyJ[\w-]{10,}\.[\w-]{20,})\b|-----BEGIN [A-Z ]*PRIVATE KEY-----`)
)

// examples are user names and passwords that are used as examples.
var examples = []string{"user:password", "username:password", "user:pass", "name:password", "user:passwd", "user:pw", "scott:tiger", "foo:bar"}

// FindCredential returns the kind of the first credential in a text, or "" if there is none. In a URL, a credential is a password, or a user name
// that is as long as a token. Variables, masked values, and passwords that equal the user name (a common default of services) do not count.
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
		_, topic := strconv.Atoi(m[2]) // in a forum's URL, a number after the title is the topic's id
		if strings.ContainsAny(m[1], digits) && topic != nil {
			return "a token in the address of a channel"
		}
	}
	for _, t := range tokens().FindAllString(text, -1) {
		if !strings.HasSuffix(t, "EXAMPLE") { // from AWS's documentation
			return "a token or a key"
		}
	}
	lower := strings.ToLower(text) // most texts in an SBOM have none of these words, so this check saves time
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

// isLiteral reports whether a text contains more than variables.
func isLiteral(text string) bool {
	return !variable().MatchString(text) ||
		strings.ContainsFunc(variable().ReplaceAllString(text, ""), func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// hasBareCredential reports whether an address without a scheme, which is common for proxies, contains a password.
func hasBareCredential(address string) bool {
	return !strings.Contains(address, "://") && FindCredential("http://"+address) != ""
}
