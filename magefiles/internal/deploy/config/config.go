// Package config reads the deployment environments of a downstream, the tables [tool.deploy.NAME] of its manifest, which pixi ignores. If compose has
// a name for a key, the key has that name.
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
	Hosts []string `json:"hosts"` // machines, as "user@host:port" or an alias of ssh_config

	Port    int    `json:"port"`               // port that each host publishes
	AppPort int    `json:"app_port,omitempty"` // port that the application listens on; default: the only port that its image exposes
	Domain  string `json:"domain,omitempty"`   // name that requests are for; default: every name
	TLS     bool   `json:"tls,omitempty"`      // a certificate for the domain, by ACME; default false

	Health   string        `json:"health"`             // path that answers 2xx when all is well; default "/healthz"
	Revision Revision      `json:"revision,omitempty"` // where the health answer has the revision: "json:KEY", "header:NAME", or false; default "json:revision"
	Gate     time.Duration `json:"gate"`               // time within which a new container must become healthy; default "60s"
	Watch    time.Duration `json:"watch"`              // time for which the new container must stay healthy after the switch; default "30s", or two intervals of the image's HEALTHCHECK
	Drain    time.Duration `json:"drain"`              // time for which sockets of the old container may stay open; default "60s"
	Grace    time.Duration `json:"stop_grace_period"`  // time from SIGTERM to SIGKILL; default "30s"

	Canary int           `json:"canary,omitempty"` // number of hosts that get a release first; default: none
	Batch  Batch         `json:"batch,omitzero"`   // hosts that get a release at the same time: a number, or a part such as "25%"; default: all hosts after the canary
	Pause  time.Duration `json:"pause,omitempty"`  // time for which the canary and each batch are watched before the next hosts get the release; default: none
	After  string        `json:"after,omitempty"`  // name of the environment from which the image is taken; default: none
	By     Publisher     `json:"by,omitempty"`     // who deploys: "here" (whoever runs mage), or "ci"; default "here"

	Keep int   `json:"keep"` // releases that are kept for rollbacks; default 3
	Disk int64 `json:"disk"` // bytes that must be free on the disk, such as "512m"; default "1g"

	Environment []string `json:"environment,omitempty"` // names of variables of the operator's environment that the application gets; default: none
	Secrets     []Secret `json:"secrets,omitempty"`     // variables of the operator's environment, each a file /run/secrets/NAME, or names, each with a variable or a command; default: none
	Memory      bool     `json:"memory,omitempty"`      // where secrets are kept: "disk", or "memory", which loses the secrets at a reboot; default "disk"
	Volumes     []Volume `json:"volumes,omitempty"`     // named volumes, as "NAME:/PATH" or "NAME:/PATH:ro"; default: none
	MemLimit    int64    `json:"mem_limit,omitempty"`   // limit of memory in bytes, such as "512m"; default: no limit
	User        string   `json:"user,omitempty"`        // user in the container, or "USER:GROUP"; default: the image's
	Command     []string `json:"command,omitempty"`     // command in the container; default: the image's
	Logging     Logging  `json:"logging"`               // log driver of the engine, and its options; default: "local", in files that never fill a disk
	StopFirst   bool     `json:"stop_first,omitempty"`  // "beside", or "stop-first", which stops the old container before the new container starts; default "beside"

	Proxy     string `json:"proxy,omitempty"`      // image of the proxy; default: the official Caddy
	Socket    string `json:"socket"`               // path of the engine's socket on the host; default "/var/run/docker.sock"
	SSHConfig string `json:"ssh_config,omitempty"` // file of OpenSSH's settings from the root; default: the operator's own
}

// Publisher determines who deploys to an environment.
type Publisher string

// Valid publishers.
const (
	Here Publisher = "here" // whoever runs mage
	CI   Publisher = "ci"
)

// Batch is an absolute or relative number of hosts.
type Batch struct {
	Hosts   int `json:"hosts,omitempty"`
	Percent int `json:"percent,omitempty"`
}

// `of` returns the number of hosts in a batch, out of n. It is at least one.
func (b Batch) of(n int) int {
	switch {
	case b.Percent > 0:
		return max(1, (n*b.Percent+99)/100)
	case b.Hosts > 0:
		return min(n, b.Hosts)
	}
	return n
}

// Groups divides hosts into groups that get a release at the same time, in order: the canary, followed by the batches.
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

// Revision specifies where a health response contains the running revision. The zero value means that it does not.
type Revision struct {
	JSON   string `json:"json,omitempty"`   // key in the JSON object
	Header string `json:"header,omitempty"` // header name
}

// None reports whether health responses do not contain the revision.
func (r Revision) None() bool { return r == Revision{} }

// Secret is a value that is only stored in a file below /run/secrets.
type Secret struct {
	Name     string   `json:"name"`
	Variable string   `json:"variable,omitempty"` // environment variable of the operator
	Command  []string `json:"command,omitempty"`  // command that prints the secret
}

// Volume is a named volume of the engine, mounted at a path in the container.
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

// defaults returns the environment for an empty table.
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
