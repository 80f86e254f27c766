package deploy

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/columns"
	deploying "github.com/foopack/foopack/magefiles/internal/deploy"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/targets"
)

// fleetHeader is the header of the table of a fleet, with a name for each field of hostRow. Each host has one line.
var fleetHeader = []string{"  HOST", "DIGEST", "REVISION", "SINCE", "HEALTH", "LOCK"}

// hostRow holds what is shown of a host.
type hostRow struct{ host, digest, revision, since, health, lock string }

// cells returns the cells below fleetHeader.
func (r hostRow) cells() []string {
	return []string{r.host, r.digest, r.revision, r.since, r.health, r.lock}
}

// fleetRow returns the row of a host. It begins with a mark if the host does not answer, or has changed since the last deployment.
func fleetRow(name string, r *survey.Running, drifts, fails bool, lock *hoststate.Holder) hostRow {
	row := hostRow{host: "  " + name, health: "nothing answers", lock: "free"}
	switch {
	case fails:
		row.host = "✗ " + name
	case drifts:
		row.host = "○ " + name
	}
	if lock != nil {
		row.lock = lock.Who
	}
	if r == nil {
		return row
	}
	row.digest, row.revision, row.since = digest(r.Image), fmt.Sprintf("%.12s", r.Revision), r.Since.UTC().Format("2006-01-02 15:04Z")
	row.health = "healthy"
	if !r.Healthy {
		row.health = "not healthy: " + r.Says
	}
	return row
}

// digest returns the beginning of an image's digest, as it is shown to people.
func digest(image string) string {
	_, text, _ := strings.Cut(image, "@")
	return columns.Digest(text)
}

// planRows returns the table of a plan.
func planRows(p *survey.Plan) [][]string {
	rows := [][]string{append(slices.Clone(fleetHeader), "WILL", "FREE")}
	for _, h := range p.Hosts {
		row, free := fleetRow(h.Host, h.Running, len(h.Drift) > 0, h.Silent, h.Holder), freeSpace(h.Free)
		if h.Silent {
			row.health, row.lock, free = "not known", "", ""
		}
		rows = append(rows, append(row.cells(), describeHostPlan(h), free))
	}
	return rows
}

// statusRows returns the table of an environment.
func statusRows(s reportedStatus) [][]string {
	rows := [][]string{fleetHeader}
	for _, h := range s.Hosts {
		row := fleetRow(h.Name, h.Running, len(h.Drift) > 0, h.Trouble != "", h.Holder)
		switch {
		case h.Trouble != "" && len(h.Setup) > 0:
			row.health, row.lock = "not set up", ""
		case h.Trouble != "":
			row.health, row.lock = "cannot be asked", ""
		case h.Waiting:
			row.health = "waits for secrets"
		}
		rows = append(rows, row.cells())
	}
	return rows
}

// board is the table that is shown while a fleet is changed. For each host it has the version that gets the requests, and the work in progress.
type board struct {
	mu    sync.Mutex
	hosts []boardHost
}

type boardHost struct {
	name   string
	before survey.Version
	will   survey.Version
	runs   survey.Version
	now    string
}

// begin shows the hosts of a plan.
func (b *board) begin(p *survey.Plan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hosts = nil
	for _, h := range p.Hosts {
		one := boardHost{name: h.Host, will: h.Will, now: "waits for its turn"}
		if h.Same {
			one.now = "stays as it is"
		}
		if h.Running != nil {
			one.before = survey.Version{Image: h.Running.Image, Revision: h.Running.Revision}
		}
		one.runs = one.before
		b.hosts = append(b.hosts, one)
	}
}

// doing stores what is being done on a host.
func (b *board) doing(now deploying.Doing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := slices.IndexFunc(b.hosts, func(h boardHost) bool { return h.name == now.Host })
	if n < 0 {
		return
	}
	h := &b.hosts[n]
	switch {
	case !now.Over:
		h.now = "▸ " + now.Step
	case now.Err != nil:
		h.now = "✗ " + now.Step
	default:
		h.now = "✓ " + now.Step
		if now.Step == deploying.StepSwitch {
			h.runs = h.will
		}
		if now.Step == deploying.StepBack {
			h.runs = h.before
		}
	}
}

// rows returns the rows that are shown.
func (b *board) rows() [][]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	rows := [][]string{{"  HOST", "DIGEST", "REVISION", "NOW"}}
	for _, h := range b.hosts {
		rows = append(rows, []string{"  " + h.name, digest(h.runs.Image), fmt.Sprintf("%.12s", h.runs.Revision), h.now})
	}
	return rows
}

// watchProgress shows on a terminal what a deployer does, until end is called.
func watchProgress(x *targets.Extension, d *deploying.Deployer) (end func()) {
	b := &board{}
	var once sync.Once
	over := func() {}
	d.Begins = func(p *survey.Plan) {
		b.begin(p)
		once.Do(func() { over = x.View.Board(b.rows) })
	}
	d.Doing = b.doing
	return func() { over() }
}

// freeSpace returns a host's free space, for people: below 10 GB in MB, since a single image matters there.
func freeSpace(n int64) string {
	if n >= 1e9 && n < 10e9 {
		return fmt.Sprintf("%d MB", n/1e6)
	}
	return columns.Size(n)
}
