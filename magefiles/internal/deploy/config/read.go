package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Of returns a downstream's deployment environments, in the order of its manifest.
func Of(w *workspace.Workspace, d *workspace.Downstream) ([]Environment, error) {
	data, err := os.ReadFile(filepath.Join(w.Root, filepath.FromSlash(d.Manifest.Path)))
	if err != nil {
		return nil, err
	}
	doc, err := tomledit.Parse(d.Manifest.Path, data)
	if err != nil {
		return nil, err
	}
	return parse(doc)
}

func parse(doc *tomledit.Document) (all []Environment, err error) {
	table := doc.Root.Get("tool", "deploy")
	r := &reader{file: doc.Name}
	if table == nil || !r.want(table, tomledit.Table) {
		return nil, r.problem
	}
	for _, n := range table.Children {
		if !r.want(n, tomledit.Table) {
			continue
		}
		if !environmentName.MatchString(n.Key) {
			r.fail(n, "use at most 30 lower-case letters, digits, - and _", "%q is not a valid name of an environment", n.Key)
		}
		all = append(all, r.environment(n))
	}
	for _, e := range all {
		r.checkConflicts(table.Get(e.Name), e, all)
	}
	return all, r.problem
}

// Pick returns the environment with this name, or the only one if name is "".
func Pick(all []Environment, name string) (Environment, error) {
	for _, e := range all {
		if e.Name == name || name == "" && len(all) == 1 {
			return e, nil
		}
	}
	names := namesOf(all)
	switch {
	case len(all) == 0:
		return Environment{}, operr.NewUsage("add a table [tool.deploy.NAME] with hosts and port to the downstream's manifest", "there is no deployment environment")
	case name == "":
		return Environment{}, operr.NewUsage("choose an environment: -env="+strings.Join(names, " or -env="), "there are several deployment environments")
	}
	return Environment{}, operr.NewUsage(suggestion(name, names), "there is no deployment environment %q", name)
}

// PickLike is like Pick, but also works for an environment whose table may have been deleted. In that case, the result has the hosts, port and
// engine of the environment `like`, if that is given.
func PickLike(all []Environment, name, like string) (Environment, error) {
	if like == "" {
		e, err := Pick(all, name)
		if err != nil && len(all) > 0 {
			err = operr.NewUsage(operr.NextOf(err)+". If the environment's table was deleted, pass -like=NAME, with the name of an environment that has the same hosts and port", "%w", err)
		}
		return e, err
	}
	for _, e := range all {
		if e.Name == name {
			return Environment{}, operr.NewUsage("run the same command without -like", "-like cannot be used, because environment %s still has its own table", name)
		}
	}
	if !environmentName.MatchString(name) {
		return Environment{}, operr.NewUsage("use at most 30 lower-case letters, digits, - and _", "%q is not a valid name of an environment", name)
	}
	e, err := Pick(all, like)
	e.Name, e.Volumes = name, nil // a deleted table's volumes are unknown
	return e, err
}

// reader reads a whole file, and stores the first problem that it finds.
type reader struct {
	file    string
	problem error
}

func (r *reader) fail(n *tomledit.Node, next, format string, args ...any) {
	if r.problem == nil {
		r.problem = operr.New(next, "%s:%d:%d: %s", r.file, n.Line, n.Column, fmt.Sprintf(format, args...))
	}
}

// `want` reports whether n is of kind k. Otherwise, it records a problem.
func (r *reader) want(n *tomledit.Node, k tomledit.Kind) bool {
	if n.Is(k) {
		return true
	}
	what := n.Key
	if what == "" {
		what = "an element of the list"
	}
	r.fail(n, "correct the value", "%s must be %s, but is %s", what, k, n.Kind)
	return false
}

func (r *reader) environment(n *tomledit.Node) Environment {
	e := defaults(n.Key)
	set := r.keys(&e)
	names := slices.Sorted(maps.Keys(set))
	for _, key := range n.Children {
		if read, known := set[key.Key]; known {
			read(key)
		} else {
			r.fail(key, suggestion(key.Key, names), "[tool.deploy.%s] has no key %s", n.Key, key.Key)
		}
	}
	switch {
	case len(e.Hosts) == 0:
		r.fail(n, `add hosts = ["user@host"]`, "[tool.deploy.%s] has no hosts", n.Key)
	case e.Port == 0:
		r.fail(n, "add port = 8080, or another port that the hosts publish", "[tool.deploy.%s] has no port", n.Key)
	case e.TLS && e.Domain == "":
		r.fail(n.Get("tls"), "add domain = \"app.example.org\", the name in the certificate", "tls needs a domain")
	}
	if e.Canary > len(e.Hosts) && len(e.Hosts) > 0 {
		r.fail(n.Get("canary"), fmt.Sprintf("set canary to %d or fewer", len(e.Hosts)), "canary is %d, but the environment has only %d hosts", e.Canary, len(e.Hosts))
	}
	if e.Pause > 0 && len(e.Groups(e.Hosts)) < 2 && len(e.Hosts) > 0 {
		r.fail(n.Get("pause"), "add canary = 1, or batch = 1", "pause has no effect, because all hosts get a release at the same time")
	}
	for _, v := range e.Volumes {
		if !v.ReadOnly && !e.StopFirst && !n.Has("start") {
			r.fail(n.Get("volumes"), `set start = "stop-first"; or set start = "beside" if two containers may write at the same time; or end the volume with :ro`,
				"the old container and the new one would write to the volume %s at the same time", v.Name)
		}
	}
	return e
}

// `checkConflicts` records a problem if an environment conflicts with another one.
func (r *reader) checkConflicts(n *tomledit.Node, e Environment, all []Environment) {
	for _, other := range all {
		if other.Name == e.Name || other.Port != e.Port || other.Socket != e.Socket || e.Domain != "" && other.Domain != "" && e.Domain != other.Domain {
			continue
		}
		for _, host := range e.Hosts {
			if slices.Contains(other.Hosts, host) {
				r.fail(n.Get("hosts"), "change the port of one of these environments, or set `domain` for each of them", "host %s is in environments %s and %s with the same port %d", host, e.Name, other.Name, e.Port)
			}
		}
	}
	seen := []string{e.Name}
	for next := e.After; next != ""; {
		at := slices.IndexFunc(all, func(other Environment) bool { return other.Name == next })
		switch {
		case at < 0:
			r.fail(n.Get("after"), suggestion(next, namesOf(all)), "[tool.deploy.%s] has after = %q, but there is no environment with this name", seen[len(seen)-1], next)
			return
		case slices.Contains(seen, next):
			r.fail(n.Get("after"), "remove the key `after` from one of these environments", "the environments %s wait for one another", strings.Join(append(seen, next), ", "))
			return
		}
		seen, next = append(seen, next), all[at].After
	}
}

func namesOf(all []Environment) (names []string) {
	for _, e := range all {
		names = append(names, e.Name)
	}
	return names
}

// keys returns the parser for each key of an environment's table.
func (r *reader) keys(e *Environment) map[string]func(n *tomledit.Node) {
	return map[string]func(n *tomledit.Node){
		"hosts":             func(n *tomledit.Node) { e.Hosts = r.hosts(n) },
		"port":              func(n *tomledit.Node) { e.Port = r.port(n) },
		"app_port":          func(n *tomledit.Node) { e.AppPort = r.port(n) },
		"domain":            func(n *tomledit.Node) { e.Domain = r.match(n, domainName, "a domain, such as app.example.org") },
		"tls":               func(n *tomledit.Node) { e.TLS = r.boolean(n) },
		"health":            func(n *tomledit.Node) { e.Health = r.match(n, urlPath, "a path, such as /healthz") },
		"revision":          func(n *tomledit.Node) { e.Revision = r.revision(n) },
		"gate":              func(n *tomledit.Node) { e.Gate = r.duration(n) },
		"watch":             func(n *tomledit.Node) { e.Watch = r.duration(n) },
		"drain":             func(n *tomledit.Node) { e.Drain = r.duration(n) },
		"stop_grace_period": func(n *tomledit.Node) { e.Grace = r.duration(n) },
		"canary":            func(n *tomledit.Node) { e.Canary = r.number(n, 1, mostHosts) },
		"batch":             func(n *tomledit.Node) { e.Batch = r.batch(n) },
		"pause":             func(n *tomledit.Node) { e.Pause = r.duration(n) },
		"after":             func(n *tomledit.Node) { e.After = r.match(n, environmentName, "the name of another environment") },
		"by":                func(n *tomledit.Node) { e.By = Publisher(r.oneOf(n, string(Here), string(CI))) },
		"keep":              func(n *tomledit.Node) { e.Keep = r.number(n, 2, 100) },
		"disk":              func(n *tomledit.Node) { e.Disk = r.size(n) },
		"environment":       func(n *tomledit.Node) { e.Environment = r.variables(n) },
		"secrets":           func(n *tomledit.Node) { e.Secrets = r.secrets(n) },
		"secrets_on":        func(n *tomledit.Node) { e.Memory = r.oneOf(n, "disk", "memory") == "memory" },
		"volumes":           func(n *tomledit.Node) { e.Volumes = r.volumes(n) },
		"mem_limit":         func(n *tomledit.Node) { e.MemLimit = r.size(n) },
		"user":              func(n *tomledit.Node) { e.User = r.match(n, userName, "a user, or USER:GROUP") },
		"command":           func(n *tomledit.Node) { e.Command = r.strings(n) },
		"logging":           func(n *tomledit.Node) { e.Logging = r.logging(n) },
		"start":             func(n *tomledit.Node) { e.StopFirst = r.oneOf(n, "beside", "stop-first") == "stop-first" },
		"proxy":             func(n *tomledit.Node) { e.Proxy = r.match(n, imageName, "the name of an image") },
		"socket":            func(n *tomledit.Node) { e.Socket = r.match(n, absolutePath, "the path of a socket") },
		"ssh_config":        func(n *tomledit.Node) { e.SSHConfig = r.match(n, filePath, "the path of a file") },
	}
}

// suggestion returns a hint with the most similar name and the valid names.
func suggestion(given string, names []string) string {
	if best := manifest.Nearest(given, names); best != "" {
		return "did you mean " + best + "? There are " + strings.Join(names, ", ")
	}
	if len(names) == 1 {
		return "there is only " + names[0]
	}
	return "there are " + strings.Join(names, ", ")
}
