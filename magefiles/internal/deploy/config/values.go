package config

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Syntax of names. Names cannot start with a dash, or contain characters with a special meaning in a shell, a URL or a header.
var (
	environmentName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,29}$`)
	hostName        = regexp.MustCompile(`^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)(?::[0-9]{1,5})?$`)
	domainName      = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$`)
	urlPath         = regexp.MustCompile(`^/[A-Za-z0-9_./~%-]*(?:\?[A-Za-z0-9_./~%=&-]*)?$`)
	variableName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	driverName      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	secretName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`) // the same syntax as in hoststate's script
	volumeName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]+$`)
	userName        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)
	imageName       = regexp.MustCompile(`^[a-z0-9][A-Za-z0-9_./:@-]*$`)
	absolutePath    = regexp.MustCompile(`^/[A-Za-z0-9_./-]+$`)
	filePath        = regexp.MustCompile(`^\P{C}+$`) // any printable name, because ssh only gets the path of a copy
	headerName      = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	jsonKey         = regexp.MustCompile(`^[^\x00-\x1f]+$`)
	sizeText        = regexp.MustCompile(`^([0-9]{1,9})\s*([kKmMgGtT]?)(?:[iI]?[bB])?$`)
)

func (r *reader) string(n *tomledit.Node) string {
	if !r.want(n, tomledit.String) {
		return ""
	}
	return n.Text()
}

func (r *reader) strings(n *tomledit.Node) (all []string) {
	if !r.want(n, tomledit.Array) {
		return nil
	}
	for _, e := range n.Children {
		all = append(all, r.string(e))
	}
	return all
}

func (r *reader) boolean(n *tomledit.Node) bool { return r.want(n, tomledit.Bool) && n.True() }

// match parses a string that must match `form`. `what` describes the form.
func (r *reader) match(n *tomledit.Node, form *regexp.Regexp, what string) string {
	text := r.string(n)
	if n.Is(tomledit.String) && !form.MatchString(text) {
		r.fail(n, "use "+what, "%s cannot be %q", orElement(n.Key), text)
		return ""
	}
	return text
}

func orElement(key string) string {
	if key == "" {
		return "an element of the list"
	}
	return key
}

func (r *reader) oneOf(n *tomledit.Node, allowed ...string) string {
	text := r.string(n)
	if n.Is(tomledit.String) && !slices.Contains(allowed, text) {
		r.fail(n, suggestion(text, allowed), "%s cannot be %q", n.Key, text)
	}
	return text
}

func (r *reader) number(n *tomledit.Node, least, most int) int {
	if !r.want(n, tomledit.Integer) {
		return 0
	}
	number, _ := n.Int()
	if number < int64(least) || number > int64(most) {
		r.fail(n, "use a number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most), "%s cannot be %d", n.Key, number)
		return 0
	}
	return int(number)
}

func (r *reader) port(n *tomledit.Node) int { return r.number(n, 1, 65535) }

// mostHosts limits the number of hosts in a canary or batch.
const mostHosts = 10_000

// batch parses a number or percentage of hosts: 2, "25%".
func (r *reader) batch(n *tomledit.Node) Batch {
	if n.Is(tomledit.Integer) {
		return Batch{Hosts: r.number(n, 1, mostHosts)}
	}
	text := r.string(n)
	percent, found := strings.CutSuffix(text, "%")
	number, err := strconv.Atoi(percent)
	if n.Is(tomledit.String) && (!found || err != nil || number < 1 || number > 100) {
		r.fail(n, `write a number of hosts, or a part of them from "1%" to "100%"`, "batch cannot be %q", text)
		return Batch{}
	}
	return Batch{Percent: number}
}

// duration parses a duration in the syntax of Go and compose: "90s", "2m".
func (r *reader) duration(n *tomledit.Node) time.Duration {
	text := r.string(n)
	d, err := time.ParseDuration(text)
	if n.Is(tomledit.String) && (err != nil || d <= 0 || d > 24*time.Hour) {
		r.fail(n, `write a duration such as "90s" or "2m", at most "24h"`, "%s cannot be %q", n.Key, text)
		return 0
	}
	return d
}

// size parses a number of bytes in compose's syntax: "512m", "2g".
func (r *reader) size(n *tomledit.Node) int64 {
	if n.Is(tomledit.Integer) {
		return int64(r.number(n, 1, 1<<62))
	}
	text := r.string(n)
	m := sizeText.FindStringSubmatch(text)
	if m == nil {
		if n.Is(tomledit.String) {
			r.fail(n, `write a size such as "512m" or "2g"`, "%s cannot be %q", n.Key, text)
		}
		return 0
	}
	number, _ := strconv.ParseInt(m[1], 10, 64) // at most nine digits
	shift := 10 * strings.Index(" kmgt", strings.ToLower(m[2] + " ")[:1])
	if number > math.MaxInt64>>shift {
		r.fail(n, "write a smaller size, such as \"2g\"", "%s cannot be %q", n.Key, text)
		return 0
	}
	return number << shift
}

func (r *reader) hosts(n *tomledit.Node) (all []string) {
	if !r.want(n, tomledit.Array) {
		return nil
	}
	for _, e := range n.Children {
		host := r.match(e, hostName, `"user@host", "user@host:port", or an alias of ssh_config`)
		if host != "" && slices.Contains(all, host) {
			r.fail(e, "list each host once", "the host %s is listed twice", host)
		}
		all = append(all, host)
	}
	return all
}

// revision parses "json:KEY", "header:NAME" or false.
func (r *reader) revision(n *tomledit.Node) Revision {
	const next = `write "json:KEY" or "header:NAME", or false if the health answer has no revision`
	if n.Is(tomledit.Bool) {
		if n.True() {
			r.fail(n, next, "revision cannot be true")
		}
		return Revision{}
	}
	text := r.string(n)
	kind, name, _ := strings.Cut(text, ":")
	switch {
	case kind == "json" && jsonKey.MatchString(name):
		return Revision{JSON: name}
	case kind == "header" && headerName.MatchString(name):
		return Revision{Header: name}
	case n.Is(tomledit.String):
		r.fail(n, next, "revision cannot be %q", text)
	}
	return Revision{}
}

func (r *reader) variables(n *tomledit.Node) (all []string) {
	if !r.want(n, tomledit.Array) {
		return nil
	}
	for _, e := range n.Children {
		all = append(all, r.variable(e, "the name of a variable of your environment"))
	}
	return all
}

// variable parses the name of an environment variable. It rejects variables with publishing credentials, because otherwise anyone who can change a
// manifest could leak them to an application.
func (r *reader) variable(n *tomledit.Node, what string) string {
	if err := settings.RefuseKey(cmp.Or(n.Key, "the list"), n.Text()); err != nil {
		r.fail(n, operr.NextOf(err), "%v", err)
		return ""
	}
	name := r.match(n, variableName, what)
	if command.Publishes(name) {
		r.fail(n, "give the application a different key, in a variable with another name", "a host cannot get the variable %q, because its key allows publishing packages", name)
	}
	return name
}

// secrets parses a list of variables, or a table that maps names to a variable or a command.
func (r *reader) secrets(n *tomledit.Node) (all []Secret) {
	if n.Is(tomledit.Array) {
		for i, name := range r.variables(n) {
			if name != "" && !secretName.MatchString(name) || slices.ContainsFunc(all, func(s Secret) bool { return s.Name == name }) {
				r.fail(n.Children[i], "use each name once, with a letter or a digit first and at most 63 characters; or choose another name: secrets = { NAME = \"VARIABLE\" }", "%q is not a valid name of a secret", name)
			}
			all = append(all, Secret{Name: name, Variable: name})
		}
		return all
	}
	if !r.want(n, tomledit.Table) {
		return nil
	}
	for _, e := range n.Children {
		s := Secret{Name: e.Key}
		if e.Is(tomledit.Array) {
			s.Command = r.strings(e)
		} else {
			s.Variable = r.variable(e, "a variable of your environment, or the list of a command and its arguments")
		}
		switch {
		case !secretName.MatchString(e.Key):
			r.fail(e, "use letters, digits, _, . and -, at most 63; the first is a letter or a digit", "%q is not a valid name of a secret", e.Key)
		case e.Is(tomledit.Array) && (len(s.Command) == 0 || s.Command[0] == ""):
			r.fail(e, "write the command and its arguments as a list", "the secret %s has an empty command", e.Key)
		}
		all = append(all, s)
	}
	return all
}

// volumes parses "name:/path" and "name:/path:ro".
func (r *reader) volumes(n *tomledit.Node) (all []Volume) {
	if !r.want(n, tomledit.Array) {
		return nil
	}
	for _, e := range n.Children {
		text := r.string(e)
		parts := strings.Split(text, ":")
		mode := "rw"
		if len(parts) == 3 {
			mode = parts[2]
		}
		if len(parts) < 2 || len(parts) > 3 || !volumeName.MatchString(parts[0]) || !absolutePath.MatchString(parts[1]) || mode != "rw" && mode != "ro" {
			r.fail(e, `write "NAME:/PATH" or "NAME:/PATH:ro", where NAME is the name of a volume`, "volumes cannot have %q", text)
			continue
		}
		if strings.HasPrefix(parts[0], "pixi-release-") {
			r.fail(e, "use another name for this volume", "volumes cannot have %q: names that begin with pixi-release- are for the volumes of the proxy", text)
			continue
		}
		all = append(all, Volume{Name: parts[0], Target: parts[1], ReadOnly: mode == "ro"})
	}
	return all
}

func (r *reader) logging(n *tomledit.Node) (l Logging) {
	if !r.want(n, tomledit.Table) {
		return l
	}
	for _, e := range n.Children {
		switch e.Key {
		case "driver":
			l.Driver = r.match(e, driverName, "the name of a log driver, such as local")
		case "options":
			if r.want(e, tomledit.Table) {
				l.Options = map[string]string{}
				for _, o := range e.Children {
					l.Options[o.Key] = r.string(o)
				}
			}
		default:
			r.fail(e, suggestion(e.Key, []string{"driver", "options"}), "logging has no key %s", e.Key)
		}
	}
	if l.Driver == "" {
		r.fail(n, `add driver = "local"`, "logging has no driver")
	}
	return l
}
