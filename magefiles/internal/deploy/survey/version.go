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

// Labels of our objects on a host.
const (
	LabelApp         = "pixi-release.app"
	LabelEnvironment = "pixi-release.environment"
	LabelRelease     = "pixi-release.release"
	LabelFence       = "pixi-release.fence"
	LabelPort        = "pixi-release.port" // port of the proxy that the fencing token is for
)

// Image is an image to run, given by repository and digest.
type Image struct {
	Repository string   `json:"repository"`
	Digest     string   `json:"digest"`   // digest of the index or image
	Revision   string   `json:"revision"` // from the image's label; "" if there is none
	Platforms  []string `json:"platforms,omitempty"`
}

// Ref returns the reference for pulling the image, which must equal the running container's Config.Image.
func (i Image) Ref() string { return i.Repository + "@" + i.Digest }

// Version is a version of the application on a host: a container, its network alias, and the volume with its secrets.
type Version struct {
	ID       string `json:"id"` // name of the container, the alias and the volume
	Image    string `json:"image"`
	Revision string `json:"revision,omitempty"`
	Spec     string `json:"spec,omitempty"` // digest of everything that the container is created from, except secrets
	Port     int    `json:"port"`           // port on which the application listens

	Health string          `json:"health,omitempty"` // path of the health check, which may differ between releases
	Says   config.Revision `json:"says,omitzero"`    // where the health response contains the revision

	Made map[string]string `json:"made,omitempty"` // container settings by table key; values of variables are only included in Spec
}

// Question returns a version's health path, and where the response contains the revision, as configured when the version was deployed.
func (v Version) Question(e config.Environment) (path string, says config.Revision) {
	if v.Health == "" {
		return e.Health, e.Revision
	}
	return v.Health, v.Says
}

// Upstream returns the version's address for the proxy.
func (v Version) Upstream() string { return fmt.Sprintf("%s:%d", v.ID, v.Port) }

// At reports whether an upstream is this version's address.
func (v Version) At(upstream string) bool { return strings.HasPrefix(upstream, v.ID+":") }

// Describe describes the version for display, with its revision and abbreviated digest.
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

// Kept is a host's record of one environment's releases. It never determines which release is running, because that is queried.
type Kept struct {
	Current   *Version  `json:"current,omitempty"`   // last version that passed its watch
	Previous  *Version  `json:"previous,omitempty"`  // version before Current, the target of a rollback
	Candidate *Version  `json:"candidate,omitempty"` // version of an unfinished deployment
	Older     []Version `json:"older,omitempty"`     // versions before Previous, newest first
	Absent    []string  `json:"absent,omitempty"`    // hosts excluded from the last deployment
	Paused    *Paused   `json:"paused,omitempty"`    // set while Candidate's deployment is paused between groups
}

// Paused describes a deployment that is paused between two groups of hosts. It is not a lock: whoever acquires the locks may resume or undo the
// deployment.
type Paused struct {
	Run    string     `json:"run"`
	Who    string     `json:"who"`
	Groups [][]string `json:"groups"` // groups of hosts, in order
	Passed int        `json:"passed"` // number of groups that have the release
	Until  time.Time  `json:"until"`
}

func (p *Paused) String() string {
	next := ""
	if p.Passed < len(p.Groups) {
		next = ", then " + strings.Join(p.Groups[p.Passed], ", ")
	}
	return fmt.Sprintf("paused by %s until %s%s", p.Who, p.Until.Format(time.RFC3339), next)
}

// name converts text for use in an ID, which becomes part of a domain name.
func name(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	return strings.Trim(text[:min(len(text), most)], "-")
}

// nameOf converts an application's name for use in other names. If it had to change characters, it adds a digest, so that names are unique.
func nameOf(app string) string {
	text := name(app, 18)
	if text == app {
		return text
	}
	sum := sha256.Sum256([]byte(app))
	return strings.TrimPrefix(text+"-"+hex.EncodeToString(sum[:4]), "-")
}

// versionID returns a unique name for a version. Deploying the same image again makes a new version.
func versionID(app, environment, digest string, at time.Time) string {
	_, hash, _ := strings.Cut(digest, ":")
	return nameOf(app) + "-" + name(environment, 16) + "-" + hash[:min(8, len(hash))] + "-" + strconv.FormatInt(at.UnixMilli(), 36)
}

// SpecOf returns a digest of the container's settings, which detects a changed environment, command or limit. It covers the values of variables
// without revealing them.
func SpecOf(e config.Environment, values []string) string {
	e.Hosts, e.Keep, e.Disk, e.Gate, e.Watch, e.Drain, e.SSHConfig, e.Socket, e.Proxy = nil, 0, 0, 0, 0, 0, "", "", ""
	e.Canary, e.Batch, e.Pause, e.After, e.By = 0, config.Batch{}, 0, "", ""
	data, _ := json.Marshal(struct { // cannot fail for these types
		Environment config.Environment
		Values      []string
	}{Environment: e, Values: values})
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
