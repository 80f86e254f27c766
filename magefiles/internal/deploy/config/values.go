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

// What names may be. None begins with a dash, and none has a character that a shell, a URL or a header would read in another way.
var (
	environmentName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,29}$`)
	hostName        = regexp.MustCompile(`^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)(?::[0-9]{1,5})?$`)
	domainName      = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$`)
	urlPath         = regexp.MustCompile(`^/[A-Za-z0-9_./~%-]*(?:\?[A-Za-z0-9_./~%=&-]*)?$`)
	variableName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	driverName      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	secretName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`) // as hoststate's script takes it
	volumeName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]+$`)
	userName        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)
	imageName       = regexp.MustCompile(`^[a-z0-9][A-Za-z0-9_./:@-]*$`)
	absolutePath    = regexp.MustCompile(`^/[A-Za-z0-9_./-]+$`)
	filePath        = regexp.MustCompile(`^\P{C}+$`) // ssh is given a copy of it by another name
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

// match reads a string of a form; what says the form.
func (r *reader) match(n *tomledit.Node, form *regexp.Regexp, what string) string {
	text := r.string(n)
	if n.Is(tomledit.String) && !form.MatchString(text) {
		r.fail(n, "give it "+what, "%s cannot be %q", orElement(n.Key), text)
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
		r.fail(n, meant(text, allowed), "%s cannot be %q", n.Key, text)
	}
	return text
}

func (r *reader) number(n *tomledit.Node, least, most int) int {
	if !r.want(n, tomledit.Integer) {
		return 0
	}
	number, _ := n.Int()
	if number < int64(least) || number > int64(most) {
		r.fail(n, "give it a number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most), "%s cannot be %d", n.Key, number)
		return 0
	}
	return int(number)
}

func (r *reader) port(n *tomledit.Node) int { return r.number(n, 1, 65535) }

// mostHosts is more than an environment has.
const mostHosts = 10_000

// batch reads a number of hosts, or a part of them: 2, "25%".
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

// duration reads a time as Go and compose write it: "90s", "2m".
func (r *reader) duration(n *tomledit.Node) time.Duration {
	text := r.string(n)
	d, err := time.ParseDuration(text)
	if n.Is(tomledit.String) && (err != nil || d <= 0 || d > 24*time.Hour) {
		r.fail(n, `write it as "90s" or "2m", a day at most`, "%s cannot be %q", n.Key, text)
		return 0
	}
	return d
}

// size reads a number of bytes as compose writes it: "512m", "2g".
func (r *reader) size(n *tomledit.Node) int64 {
	if n.Is(tomledit.Integer) {
		return int64(r.number(n, 1, 1<<62))
	}
	text := r.string(n)
	m := sizeText.FindStringSubmatch(text)
	if m == nil {
		if n.Is(tomledit.String) {
			r.fail(n, `write it as "512m" or "2g"`, "%s cannot be %q", n.Key, text)
		}
		return 0
	}
	number, _ := strconv.ParseInt(m[1], 10, 64) // nine digits fit
	shift := 10 * strings.Index(" kmgt", strings.ToLower(m[2] + " ")[:1])
	if number > math.MaxInt64>>shift {
		r.fail(n, "write a size that a machine has", "%s cannot be %q", n.Key, text)
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
			r.fail(e, "name it once", "the host %s is there twice", host)
		}
		all = append(all, host)
	}
	return all
}

// revision reads "json:KEY", "header:NAME" or false.
func (r *reader) revision(n *tomledit.Node) Revision {
	const next = `write "json:KEY" or "header:NAME", or false where the answer does not say it`
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

// variable reads the name of one, which is not one of those that publish: whoever may write a manifest could send a package then.
func (r *reader) variable(n *tomledit.Node, what string) string {
	if err := settings.RefuseKey(cmp.Or(n.Key, "the list"), n.Text()); err != nil {
		r.fail(n, operr.NextOf(err), "%v", err)
		return ""
	}
	name := r.match(n, variableName, what)
	if command.Publishes(name) {
		r.fail(n, "give the application a key of its own, by another name", "a host cannot have %q: whoever has it may publish", name)
	}
	return name
}

// secrets reads a list of variables, or a table of names, each with a variable or a command.
func (r *reader) secrets(n *tomledit.Node) (all []Secret) {
	if n.Is(tomledit.Array) {
		for i, name := range r.variables(n) {
			if name != "" && !secretName.MatchString(name) || slices.ContainsFunc(all, func(s Secret) bool { return s.Name == name }) {
				r.fail(n.Children[i], "name it once; a letter or a digit comes first, and at most 63 characters are in it; or give it another name: secrets = { NAME = \"VARIABLE\" }", "a secret cannot be called %q", name)
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
			r.fail(e, "use letters, digits, _, . and -, at most 63; the first is a letter or a digit", "a secret cannot be called %q", e.Key)
		case e.Is(tomledit.Array) && (len(s.Command) == 0 || s.Command[0] == ""):
			r.fail(e, "name the command", "the secret %s has an empty command", e.Key)
		}
		all = append(all, s)
	}
	return all
}

// volumes reads "name:/path" and "name:/path:ro".
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
			r.fail(e, `write it as "name:/path" or "name:/path:ro", with the name of a volume`, "volumes cannot have %q", text)
			continue
		}
		if strings.HasPrefix(parts[0], "pixi-release-") {
			r.fail(e, "give it a volume of its own", "volumes cannot have %q: the proxy keeps its keys, and where requests go, in volumes of such names", text)
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
			r.fail(e, meant(e.Key, []string{"driver", "options"}), "logging has no key %s", e.Key)
		}
	}
	if l.Driver == "" {
		r.fail(n, `add driver = "local"`, "logging names no driver")
	}
	return l
}
