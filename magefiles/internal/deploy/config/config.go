// Package config reads the deployment environments of a downstream, the tables [tool.deploy.NAME] of its manifest, which pixi ignores. Where
// compose has a name for a key, it is compose's.
//
//	config.go    what an environment is
//	read.go      a manifest's tables
//	values.go    what a value may be
package config

import (
	"slices"
	"time"
)

// Environment is one deployment environment: hosts, and what runs on them. It is part of a plan, so that it survives JSON.
type Environment struct {
	Name  string   `json:"name"`
	Hosts []string `json:"hosts"` // "user@host:port" or an alias of ssh_config

	Port    int    `json:"port"`               // that is published
	AppPort int    `json:"app_port,omitempty"` // that the application listens to; 0 is the only one that its image exposes
	Domain  string `json:"domain,omitempty"`   // "" answers to every name
	TLS     bool   `json:"tls,omitempty"`

	Health   string        `json:"health"`             // path that answers 2xx when all is well
	Revision Revision      `json:"revision,omitempty"` // where the health answer says its revision
	Gate     time.Duration `json:"gate"`               // within which a new container has to be healthy
	Watch    time.Duration `json:"watch"`              // for which it has to stay so once it is switched to; at least two intervals of the image's HEALTHCHECK
	Drain    time.Duration `json:"drain"`              // that open sockets of the old one may take
	Grace    time.Duration `json:"stop_grace_period"`  // from SIGTERM to SIGKILL

	Canary int           `json:"canary,omitempty"` // hosts that get a release first; 0: none does
	Batch  Batch         `json:"batch,omitzero"`   // hosts that get it at a time; the zero value: all that the canary leaves
	Pause  time.Duration `json:"pause,omitempty"`  // for which the canary and each batch are watched before the next hosts get it
	After  string        `json:"after,omitempty"`  // name of the environment whose image it gets
	By     Publisher     `json:"by,omitempty"`     // who deploys; "" is Here

	Keep int   `json:"keep"` // releases
	Disk int64 `json:"disk"` // bytes that must be free

	Environment []string `json:"environment,omitempty"` // names of variables of the operator's environment
	Secrets     []Secret `json:"secrets,omitempty"`
	Memory      bool     `json:"memory,omitempty"` // secrets are kept in memory, and are gone after a reboot
	Volumes     []Volume `json:"volumes,omitempty"`
	MemLimit    int64    `json:"mem_limit,omitempty"` // bytes; 0 is none
	User        string   `json:"user,omitempty"`
	Command     []string `json:"command,omitempty"`
	Logging     Logging  `json:"logging"`
	StopFirst   bool     `json:"stop_first,omitempty"` // the old container is stopped before the new one starts

	Proxy     string `json:"proxy,omitempty"` // image of the proxy; "" is the default
	Socket    string `json:"socket"`          // of the engine, on the host
	SSHConfig string `json:"ssh_config,omitempty"`
}

// Publisher is who deploys to an environment.
type Publisher string

// Those who deploy.
const (
	Here Publisher = "here" // whoever runs mage
	CI   Publisher = "ci"
)

// Batch is a number of hosts, or a part of them.
type Batch struct {
	Hosts   int `json:"hosts,omitempty"`
	Percent int `json:"percent,omitempty"`
}

// of is how many of n hosts it is, at least one.
func (b Batch) of(n int) int {
	switch {
	case b.Percent > 0:
		return max(1, (n*b.Percent+99)/100)
	case b.Hosts > 0:
		return min(n, b.Hosts)
	}
	return n
}

// Groups puts hosts together that get a release at the same time, in the order of the groups: the canary, and then the batches.
func (e Environment) Groups(hosts []string) (groups [][]string) {
	first := min(e.Canary, len(hosts))
	if first > 0 {
		groups = append(groups, hosts[:first])
	}
	if rest := hosts[first:]; len(rest) > 0 {
		groups = slices.AppendSeq(groups, slices.Chunk(rest, e.Batch.of(len(e.Hosts))))
	}
	return groups
}

// Revision is where a health answer says which revision runs. The zero value is nowhere.
type Revision struct {
	JSON   string `json:"json,omitempty"`   // key of the answer's object
	Header string `json:"header,omitempty"` // name of a header
}

// None reports whether nothing says the revision.
func (r Revision) None() bool { return r == Revision{} }

// Secret is a value that is a file below /run/secrets, and nowhere else.
type Secret struct {
	Name     string   `json:"name"`
	Variable string   `json:"variable,omitempty"` // of the operator's environment
	Command  []string `json:"command,omitempty"`  // whose output it is
}

// Volume is a named volume of the engine at a path of the container.
type Volume struct {
	Name     string `json:"name"`
	Target   string `json:"target"`
	ReadOnly bool   `json:"read_only,omitempty"`
}

// Logging is a log driver of the engine.
type Logging struct {
	Driver  string            `json:"driver"`
	Options map[string]string `json:"options,omitempty"`
}

// defaults are what an environment has whose table says nothing.
func defaults(name string) Environment {
	return Environment{
		Name:     name,
		Health:   "/healthz",
		Revision: Revision{JSON: "revision"},
		Gate:     time.Minute,
		Watch:    30 * time.Second,
		Drain:    time.Minute,
		Grace:    30 * time.Second,
		Keep:     3,
		Disk:     1 << 30,
		Logging:  Logging{Driver: "local", Options: map[string]string{"max-file": "5", "max-size": "20m"}},
		Socket:   "/var/run/docker.sock",
	}
}
