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

// Of reads the deployment environments of a downstream, in the order of its manifest.
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
			r.fail(n, "use lower-case letters, digits, - and _, at most 30", "an environment cannot be called %q", n.Key)
		}
		all = append(all, r.environment(n))
	}
	for _, e := range all {
		r.together(table.Get(e.Name), e, all)
	}
	return all, r.problem
}

// Pick is the environment of a name; "" is for the only one.
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
		return Environment{}, operr.NewUsage("say which: -env="+strings.Join(names, " or -env="), "there are several deployment environments")
	}
	return Environment{}, operr.NewUsage(meant(name, names), "there is no deployment environment %q", name)
}

// PickLike is Pick for a name that may have no table any more: it has the hosts, the port and the engine of another environment then.
func PickLike(all []Environment, name, like string) (Environment, error) {
	if like == "" {
		e, err := Pick(all, name)
		if err != nil && len(all) > 0 {
			err = operr.NewUsage(operr.NextOf(err)+". Where its table is gone, -like=NAME names one whose hosts and port it had", "%w", err)
		}
		return e, err
	}
	for _, e := range all {
		if e.Name == name {
			return Environment{}, operr.NewUsage("leave -like out", "%s has a table of its own", name)
		}
	}
	if !environmentName.MatchString(name) {
		return Environment{}, operr.NewUsage("use lower-case letters, digits, - and _, at most 30", "an environment cannot be called %q", name)
	}
	e, err := Pick(all, like)
	e.Name, e.Volumes = name, nil // which it had is not known
	return e, err
}

// reader keeps the first problem of a file. While it is read, reading goes on with what there is.
type reader struct {
	file    string
	problem error
}

func (r *reader) fail(n *tomledit.Node, next, format string, args ...any) {
	if r.problem == nil {
		r.problem = operr.New(next, "%s:%d:%d: %s", r.file, n.Line, n.Column, fmt.Sprintf(format, args...))
	}
}

// want reports whether n is of kind k; a node of another kind is a problem.
func (r *reader) want(n *tomledit.Node, k tomledit.Kind) bool {
	if n.Is(k) {
		return true
	}
	what := n.Key
	if what == "" {
		what = "an element of the list"
	}
	r.fail(n, "correct the value", "%s must be %s, and is %s", what, k, n.Kind)
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
			r.fail(key, meant(key.Key, names), "[tool.deploy.%s] has no key %s", n.Key, key.Key)
		}
	}
	switch {
	case len(e.Hosts) == 0:
		r.fail(n, `add hosts = ["user@host"]`, "[tool.deploy.%s] has no hosts", n.Key)
	case e.Port == 0:
		r.fail(n, "add port = 8080, the one that is published", "[tool.deploy.%s] has no port", n.Key)
	case e.TLS && e.Domain == "":
		r.fail(n.Get("tls"), "add domain, for which the certificate is made", "tls needs a domain")
	}
	if e.Canary > len(e.Hosts) && len(e.Hosts) > 0 {
		r.fail(n.Get("canary"), fmt.Sprintf("say %d or fewer", len(e.Hosts)), "a canary of %d hosts is larger than the environment, which has %d", e.Canary, len(e.Hosts))
	}
	if e.Pause > 0 && len(e.Groups(e.Hosts)) < 2 && len(e.Hosts) > 0 {
		r.fail(n.Get("pause"), "add canary = 1, or batch = 1", "there is nothing to pause between: all hosts get a release at the same time")
	}
	for _, v := range e.Volumes {
		if !v.ReadOnly && !e.StopFirst && !n.Has("start") {
			r.fail(n.Get("volumes"), `say start = "stop-first", or start = "beside" where two may write at a time; or end the volume with :ro`,
				"the old container and the new one would write to the volume %s at the same time", v.Name)
		}
	}
	return e
}

// together refuses what does not go with the other environments.
func (r *reader) together(n *tomledit.Node, e Environment, all []Environment) {
	for _, other := range all {
		if other.Name == e.Name || other.Port != e.Port || other.Socket != e.Socket || e.Domain != "" && other.Domain != "" && e.Domain != other.Domain {
			continue
		}
		for _, host := range e.Hosts {
			if slices.Contains(other.Hosts, host) {
				r.fail(n.Get("hosts"), "give one of them another port, or each a domain", "%s is in %s and in %s, with the same port %d", host, e.Name, other.Name, e.Port)
			}
		}
	}
	seen := []string{e.Name}
	for next := e.After; next != ""; {
		at := slices.IndexFunc(all, func(other Environment) bool { return other.Name == next })
		switch {
		case at < 0:
			r.fail(n.Get("after"), meant(next, namesOf(all)), "[tool.deploy.%s] is after %q, which there is not", seen[len(seen)-1], next)
			return
		case slices.Contains(seen, next):
			r.fail(n.Get("after"), "let one of them be after none", "the environments %s wait for one another", strings.Join(append(seen, next), ", "))
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

// keys are the keys of an environment's table, each with what reads it.
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

// meant says what was meant by a name, and which names there are.
func meant(given string, names []string) string {
	if best := manifest.Nearest(given, names); best != "" {
		return "did you mean " + best + "? There are " + strings.Join(names, ", ")
	}
	if len(names) == 1 {
		return "there is only " + names[0]
	}
	return "there are " + strings.Join(names, ", ")
}
