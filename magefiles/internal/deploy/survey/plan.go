package survey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Asked is a user's request for a deployment or rollback.
type Asked struct {
	Image   Image    // image to deploy; the zero value for a rollback
	Back    bool     // roll each host back to the release before its current one
	Without []string // hosts to exclude
	Force   string   // reason for skipping the check of the environment in `after`; "" does not skip it
}

// Plan is what the user confirms. It can be encoded as JSON.
type Plan struct {
	Run         string             `json:"run"` // identifies the deployment on the hosts
	App         string             `json:"app"`
	Environment config.Environment `json:"environment"`
	Image       Image              `json:"image"` // the zero value for a rollback
	Back        bool               `json:"back,omitempty"`
	Hosts       []HostPlan         `json:"hosts"`
	Groups      [][]string         `json:"groups,omitempty"` // changing hosts in deployment order; empty if all change at the same time
	Without     []string           `json:"without,omitempty"`
	Why         []string           `json:"why,omitempty"`   // reasons for the hosts in Without
	Force       string             `json:"force,omitempty"` // reason for skipping the check of the environment in `after`
	Settings    []Setting          `json:"settings,omitempty"`
	Notes       []string           `json:"notes,omitempty"`
	Troubles    []Trouble          `json:"troubles,omitempty"` // why the plan cannot be carried out now
}

// HostPlan is the part of a plan for one host.
type HostPlan struct {
	Host    string   `json:"host"`
	Running *Running `json:"running,omitempty"`
	Before  Kept     `json:"before"`
	Will    Version  `json:"will"`
	Same    bool     `json:"same,omitempty"` // the image already runs, so the host does not change
	Tidy    bool     `json:"tidy,omitempty"` // the image already runs, and only leftovers of a killed deployment are removed
	Changes []string `json:"changes"`
	Drift   []string `json:"drift,omitempty"`
	Free    int64    `json:"free"`
	Silent  bool     `json:"silent,omitempty"` // the host did not report what runs and its free space: see Troubles

	Holder *hoststate.Holder `json:"holder,omitempty"` // holder of the lock

	paused *Paused // the recorded pause when the plan was made
}

// Trouble is a reason why a plan cannot be carried out.
type Trouble struct {
	Host string `json:"host"`
	Says string `json:"says"`
	Next string `json:"next,omitempty"`
}

// Label returns a short description of the plan.
func (p *Plan) Label() string {
	if p.Back {
		return p.Environment.Name + "/back"
	}
	_, digest, _ := strings.Cut(p.Image.Digest, ":")
	return p.Environment.Name + "/" + digest[:min(12, len(digest))]
}

// Changing returns the hosts that change, in locking order.
func (p *Plan) Changing() (hosts []HostPlan) {
	for _, h := range p.Hosts {
		if !h.Same {
			hosts = append(hosts, h)
		}
	}
	slices.SortFunc(hosts, func(a, b HostPlan) int { return strings.Compare(a.Host, b.Host) })
	return hosts
}

// Moving returns the hosts that get another release. The other hosts are only cleaned up after a killed deployment.
func Moving(hosts []HostPlan) []HostPlan {
	return slices.DeleteFunc(slices.Clone(hosts), func(h HostPlan) bool { return h.Tidy })
}

// Nothing reports whether all hosts already have the requested release.
func (p *Plan) Nothing() bool { return len(p.Changing()) == 0 && len(p.Troubles) == 0 }

// Plan queries all hosts and returns a plan. It does not change anything.
func (f *Fleet) Plan(ctx context.Context, asked Asked) (*Plan, error) {
	if _, err := f.HostsWithout(asked.Without); err != nil {
		return nil, err
	}
	p := &Plan{
		Run:         f.Now().UTC().Format("20060102T150405.000Z"),
		App:         f.App,
		Environment: f.Environment,
		Image:       asked.Image,
		Back:        asked.Back,
		Without:     asked.Without,
		Force:       asked.Force,
	}
	values, err := f.readVariables(asked.Back)
	if err != nil {
		return nil, err
	}
	wanted := Version{
		ID:       versionID(f.App, f.Environment.Name, asked.Image.Digest, f.Now()),
		Image:    asked.Image.Ref(),
		Revision: asked.Image.Revision,
		Spec:     SpecOf(f.Environment, values),
		Port:     f.Environment.AppPort,
		Health:   f.Environment.Health,
		Says:     f.Environment.Revision,
		Made:     settingsOf(f.Environment),
	}
	if !asked.Back { // a rollback does not change how containers were created
		p.Settings = container(f.Environment)
	}
	p.Settings = append(p.Settings, way(f.Environment)...)
	machines := map[string]string{}
	var fronts []Front
	looked := f.Look(ctx, 0)
	for _, h := range looked {
		if slices.Contains(asked.Without, h.Name) {
			p.Why = append(p.Why, why(h))
			continue
		}
		p.Hosts = append(p.Hosts, f.planHost(ctx, p, h, wanted, looked))
		if first := machines[h.proxy]; first != "" && h.proxy != "" {
			p.Troubles = append(p.Troubles, Trouble{Host: h.Name, Says: "this host is the same machine as " + first, Next: "list each machine once in hosts"})
		}
		machines[h.proxy] = h.Name
		if h.Proxy != nil {
			fronts = append(fronts, *h.Proxy)
		}
	}
	p.Groups = f.groups(p)
	f.note(p)
	p.Notes = append(p.Notes, pins(fronts)...)
	return p, nil
}

// pins returns a note with the proxy image's digest if the image is specified by tag, because the tag may move, and a host that is set up later
// would get a different image.
func pins(fronts []Front) (notes []string) {
	for _, f := range fronts {
		if strings.Contains(f.Image, "@") || len(f.Digests) == 0 {
			continue
		}
		note := fmt.Sprintf("the proxy's image %s is a tag; the hosts have %s; to pin the image, set `proxy = %q` in the environment's table", f.Image, f.Digests[0], f.Digests[0])
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return notes
}

// `why` returns why a host is excluded.
func why(h Host) string {
	if h.Trouble != "" {
		return h.Trouble
	}
	return h.Name + " answers, but you left this host out"
}

func (f *Fleet) planHost(ctx context.Context, p *Plan, h Host, wanted Version, all []Host) HostPlan {
	one := HostPlan{Host: h.Name, Running: h.Running, Before: h.Kept, Will: wanted, Drift: h.Drift, Free: h.Free, Holder: h.Holder, Changes: []string{}, paused: h.Kept.Paused}
	trouble := func(next, format string, args ...any) {
		p.Troubles = append(p.Troubles, Trouble{Host: h.Name, Says: fmt.Sprintf(format, args...), Next: next})
	}
	if h.Trouble != "" {
		next := "pass -without=" + h.Name + " to leave this host out: the first deployment after the host is back brings the host up to date"
		if h.Next != "" {
			next = h.Next + "; or " + next
		}
		trouble(next, "%s", h.Trouble)
		one.Silent = true
		return one
	}
	if err := f.NotSetUp(h.Setup); err != nil {
		trouble(operr.NextOf(err), "%v", err)
		return one
	}
	if h.Holder != nil && h.Left > 0 && f.Wait == 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%s is locked by %s", h.Name, h.Holder))
	}
	one.Before.Paused = nil
	if p.Back {
		f.planBack(ctx, h, &one, backTo(h, all), trouble)
		return one
	}
	if paused := h.Kept.Paused; paused != nil && h.Kept.Candidate != nil {
		if c := h.Kept.Candidate; c.Image != wanted.Image || c.Spec != wanted.Spec {
			_, digest, _ := strings.Cut(c.Image, "@")
			trouble("run `mage deploy:to "+f.Environment.Name+" -digest="+digest+"` to continue this deployment, or `mage deploy:rollback -env="+f.Environment.Name+"` to undo the deployment",
				"the deployment of %s is %s", c.Describe(), paused)
			return one
		}
		one.Will, one.Before.Candidate = *h.Kept.Candidate, nil
		one.Changes = []string{"continues the deployment of " + one.Will.Describe() + ", which was " + paused.String()}
		return one
	}
	if c := h.Kept.Current; c != nil && c.Image == wanted.Image && c.Spec == wanted.Spec && h.Kept.Candidate == nil && h.Up == c.Upstream() &&
		h.Running != nil && h.Running.Image == wanted.Image && h.Running.Healthy {
		one.Will = *c
		one.stays(h)
		return one
	}
	one.Changes = changes(h, wanted)
	if now := h.Kept.Current; now != nil {
		one.Changes = append(one.Changes, differences(*now, wanted)...)
	}
	f.askImage(ctx, p, h, trouble)
	if h.Free < f.Environment.Disk {
		trouble("free space on the host's disk, or set a smaller disk in the environment's table", "the disk has too little free space: found %s, expected %s", columns.Size(h.Free), columns.Size(f.Environment.Disk))
	}
	return one
}

// `stays` plans a host that already runs the requested release: at most, leftovers of a killed deployment are removed.
func (p *HostPlan) stays(h Host) {
	left := h.describeLeftovers()
	p.Same, p.Tidy = len(left) == 0, len(left) > 0
	p.Changes = append(p.Changes, left...)
}

// groups returns the groups in which hosts get the release. A paused deployment keeps its groups, and a rollback has none.
func (f *Fleet) groups(p *Plan) [][]string {
	var changing, whole []string
	for _, h := range p.Hosts {
		whole = append(whole, h.Host)
		if !h.Same && !h.Tidy {
			changing = append(changing, h.Host)
		}
	}
	groups := f.Environment.Groups(changing)
	for _, h := range p.Hosts {
		if h.paused != nil && !p.Back && sameHosts(slices.Concat(h.paused.Groups...), whole) {
			groups = h.paused.Groups
		}
	}
	if p.Back || len(groups) < 2 {
		return nil
	}
	return groups
}

// sameHosts reports whether two lists contain the same hosts.
func sameHosts(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// planBack plans a rollback to the earlier release, whose container and image must still exist on the host.
func (f *Fleet) planBack(ctx context.Context, h Host, one *HostPlan, before *Version, trouble func(next, format string, args ...any)) {
	next := "run `mage deploy:to " + f.Environment.Name + " -digest=…` with the digest of an image in the registry"
	if before == nil {
		trouble(next, "the host has no earlier release to go back to")
		return
	}
	one.Will = *before
	if now := h.Kept.Current; now != nil && now.ID == before.ID && h.Kept.Candidate == nil && h.Up == now.Upstream() && h.Running != nil && h.Running.Healthy {
		one.stays(h) // this host has already been rolled back, but another one has not
		return
	}
	one.Changes = []string{"goes back to " + before.Describe()}
	c := h.Of(before.ID)
	if c == nil {
		trouble(next, "the container of the previous release, %s, does not exist any more", before.ID)
		return
	}
	m, err := f.Machine(ctx, h.Name)
	if err == nil {
		_, err = m.Engine.Image(ctx, before.Image)
	}
	switch {
	case errors.Is(err, engine.NotFound):
		trouble(next, "the image of the previous release, %s, does not exist any more", before.Image)
	case err != nil:
		trouble("", "%v", err)
	}
}

// askImage checks that the host can get the image, before anything changes.
func (f *Fleet) askImage(ctx context.Context, p *Plan, h Host, trouble func(next, format string, args ...any)) {
	if len(p.Image.Platforms) > 0 && !slices.Contains(p.Image.Platforms, h.Arch) {
		trouble("add the host's platform to platforms of [tool.image], and push the image again", "the image does not fit the host's platform: expected %s, found %s", h.Arch, strings.Join(p.Image.Platforms, ", "))
		return
	}
	m, err := f.Machine(ctx, h.Name)
	if err == nil {
		var image engine.Image
		if image, err = m.Engine.Image(ctx, p.Image.Ref()); err == nil {
			if _, note := WatchOf(f.Environment, IntervalOf(image)); note != "" && !slices.Contains(p.Notes, note) {
				p.Notes = append(p.Notes, note)
			}
		}
	}
	if errors.Is(err, engine.NotFound) {
		var login engine.Login
		if login, err = f.Login(ctx, p.Image.Repository); err == nil {
			_, err = m.Engine.Distribution(ctx, p.Image.Ref(), login)
		}
	}
	switch {
	case errors.Is(err, engine.Unauthorized):
		trouble("run `docker login` on this machine: your login is sent with the pull, and no host stores it", "the registry does not let the host pull %s", p.Image.Ref())
	case err != nil:
		trouble(operr.NextOf(err), "the host cannot pull %s: %v", p.Image.Ref(), err)
	}
}

// changes describes the changes on a host.
func changes(h Host, wanted Version) []string {
	now := h.Kept.Current
	switch {
	case now == nil && h.Running == nil:
		return []string{"first deployment: " + wanted.Describe()}
	case h.Waiting:
		return []string{"the container waits for its secrets, which were only in memory → " + wanted.Describe()}
	case h.Running == nil:
		return []string{"nothing answers → " + wanted.Describe()}
	case h.Running.Image != wanted.Image:
		return []string{Version{Image: h.Running.Image, Revision: h.Running.Revision}.Describe() + " → " + wanted.Describe()}
	case !h.Running.Healthy:
		return []string{"the container is not healthy (" + h.Running.Says + "): a new container is started"}
	case now != nil && now.Spec != wanted.Spec:
		return []string{"the same image with another configuration"}
	}
	return []string{"the same image in a new container"}
}

// note adds notes that the user should read before confirming a plan.
func (f *Fleet) note(p *Plan) {
	e := f.Environment
	say := func(format string, args ...any) { p.Notes = append(p.Notes, fmt.Sprintf(format, args...)) }
	switch {
	case e.Revision.None():
		say("the health answer has no revision: the gate compares only the digest of the container")
	case p.Image.Revision == "" && !p.Back:
		say("the image has no label with its revision: the gate compares only the digest of the container")
	}
	if len(e.Environment) > 0 && !p.Back {
		say("the containers get these variables of your environment: %s", strings.Join(e.Environment, ", "))
	}
	for _, s := range e.Secrets {
		switch {
		case p.Back && !e.Memory:
		case len(s.Command) > 0:
			say("the secret %s is the output of this command, which runs on this machine: %q", s.Name, s.Command)
		default:
			say("the secret %s is your variable %s", s.Name, s.Variable)
		}
	}
	if e.Memory && len(e.Secrets) > 0 {
		say("secrets are kept only in memory, so after a reboot a host waits for `mage deploy:to`")
	}
	if e.StopFirst {
		say("the old container is stopped before the new container starts, so nothing answers in between")
	}
	switch {
	case e.After != "" && p.Force != "":
		say("what %s runs is not checked; your reason: %s", e.After, p.Force)
	case e.After != "" && !p.Back:
		say("all hosts of %s run this image; this is checked again before anything is changed", e.After)
	}
	if len(p.Groups) > 0 {
		var groups []string
		for _, group := range p.Groups {
			groups = append(groups, strings.Join(group, " and "))
		}
		between := ""
		if e.Pause > 0 {
			between = ", each watched for " + e.Pause.String() + " before the next"
		}
		say("the hosts get the release in groups%s: %s", between, strings.Join(groups, ", then "))
	}
	if len(p.Without) > 0 {
		say("the deployment leaves out %s; the next deployment brings all hosts up to date", strings.Join(p.Without, ", "))
	}
	images := map[string]bool{}
	for _, h := range p.Hosts {
		images[h.Will.Image] = true
	}
	if p.Back && len(images) > 1 {
		say("the hosts go back to different images")
	}
}

// `readVariables` checks that the variables of all needed secrets are set, and returns the containers' environment variables. A rollback needs
// secrets only if they are in memory, and returns no variables, because containers keep the values that they were created with.
func (f *Fleet) readVariables(back bool) (values []string, err error) {
	for _, s := range f.Environment.Secrets {
		if len(s.Command) > 0 || back && !f.Environment.Memory {
			continue
		}
		if _, err := f.SecretVariable(s); err != nil {
			return nil, err
		}
	}
	if back {
		return nil, nil
	}
	return f.Values()
}

// Values returns the containers' environment variables as NAME=VALUE.
func (f *Fleet) Values() (all []string, err error) {
	for _, variable := range f.Environment.Environment {
		value, there := f.Variable(variable)
		if !there {
			return nil, operr.NewUsage("set this variable, or remove its name from `environment` in the environment's table", "[tool.deploy.%s] needs the variable %s, which is not set", f.Environment.Name, variable)
		}
		all = append(all, variable+"="+value)
	}
	return all, nil
}

// Refuse returns an error if the plan cannot be carried out.
func (p *Plan) Refuse() error {
	if len(p.Troubles) == 0 {
		return nil
	}
	var lines, hosts []string
	for _, t := range p.Troubles {
		if !slices.Contains(hosts, t.Host) {
			hosts = append(hosts, t.Host)
		}
		line := t.Host + ": " + t.Says
		if t.Next != "" {
			line += "\n  → " + t.Next
		}
		lines = append(lines, line)
	}
	return operr.New("", "nothing was changed: the plan of %s has errors on %s", p.Environment.Name, strings.Join(hosts, ", ")).WithDetail(strings.Join(lines, "\n"))
}

// SecretVariable returns the value of a secret from its environment variable.
func (f *Fleet) SecretVariable(s config.Secret) ([]byte, error) {
	value, there := f.Variable(s.Variable)
	if !there || value == "" {
		return nil, operr.NewUsage("set this variable", "the secret %s comes from the variable %s, which is not set", s.Name, s.Variable)
	}
	return []byte(value), nil
}
