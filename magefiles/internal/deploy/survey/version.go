package survey

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
)

// The labels of what is ours on a host.
const (
	LabelApp         = "pixi-release.app"
	LabelEnvironment = "pixi-release.environment"
	LabelRelease     = "pixi-release.release"
	LabelFence       = "pixi-release.fence"
	LabelPort        = "pixi-release.port" // of the proxy, which has the fence
)

// Image is what is to run: one digest of one repository.
type Image struct {
	Repository string   `json:"repository"`
	Digest     string   `json:"digest"`   // of the index, or of the image
	Revision   string   `json:"revision"` // that its label has; "" where it has none
	Platforms  []string `json:"platforms,omitempty"`
}

// Ref is what is pulled, and what the running container's Config.Image has to be.
func (i Image) Ref() string { return i.Repository + "@" + i.Digest }

// Version is one version of the application on a host: a container, its network alias, and the volume of its secrets.
type Version struct {
	ID       string `json:"id"` // name of the container, the alias and the volume
	Image    string `json:"image"`
	Revision string `json:"revision,omitempty"`
	Spec     string `json:"spec,omitempty"` // digest of all that it is made of but its secrets
	Port     int    `json:"port"`           // that it listens to

	Health string          `json:"health,omitempty"` // the path by which it is asked: another release may have another one
	Says   config.Revision `json:"says,omitzero"`    // where that answer says its revision

	Made map[string]string `json:"made,omitempty"` // of what, by the names of the table's keys; values of variables are in Spec alone
}

// Question is how a version is asked whether it is well: as it was deployed.
func (v Version) Question(e config.Environment) (path string, says config.Revision) {
	if v.Health == "" {
		return e.Health, e.Revision
	}
	return v.Health, v.Says
}

// Upstream is how the proxy reaches it.
func (v Version) Upstream() string { return fmt.Sprintf("%s:%d", v.ID, v.Port) }

// At reports whether an upstream leads to it.
func (v Version) At(upstream string) bool { return strings.HasPrefix(upstream, v.ID+":") }

// Describe is what people are told of it: its revision, and the beginning of its digest.
func (v Version) Describe() string {
	_, digest, _ := strings.Cut(v.Image, "@")
	_, hash, _ := strings.Cut(digest, ":")
	text := "sha256:" + hash[:min(12, len(hash))]
	if hash == "" {
		text = v.Image
	}
	if v.Revision != "" {
		text = "revision " + short(v.Revision) + " (" + text + ")"
	}
	return text
}

// Kept is what a host remembers of an application's deployment environment. What runs is never taken from it.
type Kept struct {
	Current   *Version  `json:"current,omitempty"`   // the last one that passed its watch
	Previous  *Version  `json:"previous,omitempty"`  // the one before it, to which a rollback goes
	Candidate *Version  `json:"candidate,omitempty"` // of a deployment that has not ended
	Older     []Version `json:"older,omitempty"`     // those before, the newest first
	Absent    []string  `json:"absent,omitempty"`    // hosts that the last deployment was without
	Paused    *Paused   `json:"paused,omitempty"`    // the deployment of Candidate waits before the next hosts get it
}

// Paused is a deployment that waits between two groups of hosts. It is no lock: whoever takes the locks may continue it, or take it back.
type Paused struct {
	Run    string     `json:"run"`
	Who    string     `json:"who"`
	Groups [][]string `json:"groups"` // of hosts, in their order
	Passed int        `json:"passed"` // groups that have it
	Until  time.Time  `json:"until"`
}

func (p *Paused) String() string {
	next := ""
	if p.Passed < len(p.Groups) {
		next = ", then " + strings.Join(p.Groups[p.Passed], ", ")
	}
	return fmt.Sprintf("paused by %s until %s%s", p.Who, p.Until.Format(time.RFC3339), next)
}

// name is a part of an ID: it becomes one of a domain name.
func name(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	return strings.Trim(text[:min(len(text), most)], "-")
}

// nameOf is an application's name as part of other names. What is not told whole gets a digest: another application has another one.
func nameOf(app string) string {
	text := name(app, 18)
	if text == app {
		return text
	}
	sum := sha256.Sum256([]byte(app))
	return strings.TrimPrefix(text+"-"+hex.EncodeToString(sum[:4]), "-")
}

// versionID is the name of one version, which no other has: also the same image is deployed anew, as another version.
func versionID(app, environment, digest string, at time.Time) string {
	_, hash, _ := strings.Cut(digest, ":")
	return nameOf(app) + "-" + name(environment, 16) + "-" + hash[:min(8, len(hash))] + "-" + strconv.FormatInt(at.UnixMilli(), 36)
}

// SpecOf is the digest of what a container is made of, so that another environment, command or limit is seen as a change. Values of variables
// are in it, and cannot be read from it.
func SpecOf(e config.Environment, values []string) string {
	e.Hosts, e.Keep, e.Disk, e.Gate, e.Watch, e.Drain, e.SSHConfig, e.Socket, e.Proxy = nil, 0, 0, 0, 0, 0, "", "", ""
	e.Canary, e.Batch, e.Pause, e.After, e.By = 0, config.Batch{}, 0, "", ""
	data, _ := json.Marshal(struct { // all of it is text and numbers
		Environment config.Environment
		Values      []string
	}{Environment: e, Values: values})
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
