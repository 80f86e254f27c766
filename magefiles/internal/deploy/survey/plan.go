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

// Asked is what a person asks for.
type Asked struct {
	Image   Image    // to be deployed; the zero value where it is gone back
	Back    bool     // each host goes back to the release before the one that it has
	Without []string // hosts that are left as they are
	Force   string   // why the environment before this one does not count; "" where it does
}

// Plan is what a person agrees to: it survives JSON.
type Plan struct {
	Run         string             `json:"run"` // names the deployment on the hosts
	App         string             `json:"app"`
	Environment config.Environment `json:"environment"`
	Image       Image              `json:"image"` // the zero value where it is gone back
	Back        bool               `json:"back,omitempty"`
	Hosts       []HostPlan         `json:"hosts"`
	Groups      [][]string         `json:"groups,omitempty"` // of the hosts that change, in the order in which they get it; none where all do at once
	Without     []string           `json:"without,omitempty"`
	Why         []string           `json:"why,omitempty"`   // of each of them
	Force       string             `json:"force,omitempty"` // why the environment before this one does not count
	Settings    []Setting          `json:"settings,omitempty"`
	Notes       []string           `json:"notes,omitempty"`
	Troubles    []Trouble          `json:"troubles,omitempty"` // why it cannot be done as things stand
}

// HostPlan is what happens on one host.
type HostPlan struct {
	Host    string   `json:"host"`
	Running *Running `json:"running,omitempty"`
	Before  Kept     `json:"before"`
	Will    Version  `json:"will"`
	Same    bool     `json:"same,omitempty"` // it runs already, and is left as it is
	Tidy    bool     `json:"tidy,omitempty"` // it runs already, and what a deployment has left beside it is put away
	Changes []string `json:"changes"`
	Drift   []string `json:"drift,omitempty"`
	Free    int64    `json:"free"`
	Silent  bool     `json:"silent,omitempty"` // it did not say what runs and what is free: see Troubles

	Holder *hoststate.Holder `json:"holder,omitempty"` // who has the lock

	paused *Paused // that it was when the plan was made
}

// Trouble is a reason why a plan cannot be carried out.
type Trouble struct {
	Host string `json:"host"`
	Says string `json:"says"`
	Next string `json:"next,omitempty"`
}

// Label names the plan to people.
func (p *Plan) Label() string {
	if p.Back {
		return p.Environment.Name + "/back"
	}
	_, digest, _ := strings.Cut(p.Image.Digest, ":")
	return p.Environment.Name + "/" + digest[:min(12, len(digest))]
}

// Changing are the hosts on which something is done, in the one order in which locks are taken.
func (p *Plan) Changing() (hosts []HostPlan) {
	for _, h := range p.Hosts {
		if !h.Same {
			hosts = append(hosts, h)
		}
	}
	slices.SortFunc(hosts, func(a, b HostPlan) int { return strings.Compare(a.Host, b.Host) })
	return hosts
}

// Moving are those hosts among some that get a release, or go back to one; on the others something is put away alone.
func Moving(hosts []HostPlan) []HostPlan {
	return slices.DeleteFunc(slices.Clone(hosts), func(h HostPlan) bool { return h.Tidy })
}

// Nothing reports whether all hosts are as they are wanted.
func (p *Plan) Nothing() bool { return len(p.Changing()) == 0 && len(p.Troubles) == 0 }

// Plan asks all hosts, and changes nothing.
func (f *Fleet) Plan(ctx context.Context, asked Asked) (*Plan, error) {
	if _, err := f.But(asked.Without); err != nil {
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
	values, err := f.given(asked.Back)
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
		Made:     made(f.Environment),
	}
	if !asked.Back { // else each container is made as it was then
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
			p.Troubles = append(p.Troubles, Trouble{Host: h.Name, Says: "it is the same machine as " + first, Next: "name it once"})
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

// pins says which digests of a proxy's image run that is named by a tag: a tag may mean another image tomorrow, and a host that is set up later
// has that one then.
func pins(fronts []Front) (notes []string) {
	for _, f := range fronts {
		if strings.Contains(f.Image, "@") || len(f.Digests) == 0 {
			continue
		}
		note := fmt.Sprintf("the proxy's image %s is a tag; the hosts have %s: `proxy = %q` in the environment's table pins it", f.Image, f.Digests[0], f.Digests[0])
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return notes
}

// why is the reason for which a host is left out.
func why(h Host) string {
	if h.Trouble != "" {
		return h.Trouble
	}
	return h.Name + " answers, and was left out by choice"
}

func (f *Fleet) planHost(ctx context.Context, p *Plan, h Host, wanted Version, all []Host) HostPlan {
	one := HostPlan{Host: h.Name, Running: h.Running, Before: h.Kept, Will: wanted, Drift: h.Drift, Free: h.Free, Holder: h.Holder, Changes: []string{}, paused: h.Kept.Paused}
	trouble := func(next, format string, args ...any) {
		p.Troubles = append(p.Troubles, Trouble{Host: h.Name, Says: fmt.Sprintf(format, args...), Next: next})
	}
	if h.Trouble != "" {
		next := "-without=" + h.Name + " leaves it out, and it is brought up to date when it is back"
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
			trouble("`mage deploy:to "+f.Environment.Name+" -digest="+digest+"` goes on with it; `mage deploy:rollback -env="+f.Environment.Name+"` takes it back",
				"the deployment of %s is %s", c.Describe(), paused)
			return one
		}
		one.Will, one.Before.Candidate = *h.Kept.Candidate, nil
		one.Changes = []string{"goes on with the deployment of " + one.Will.Describe() + ", which was " + paused.String()}
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
		trouble("make room on it, or set disk in the environment's table", "%s are free, and %s are wanted", columns.Size(h.Free), columns.Size(f.Environment.Disk))
	}
	return one
}

// stays is for a host that runs what is wanted: it is left as it is, or rid of what a deployment that was killed has left there.
func (p *HostPlan) stays(h Host) {
	left := h.left()
	p.Same, p.Tidy = len(left) == 0, len(left) > 0
	p.Changes = append(p.Changes, left...)
}

// groups are those in which the hosts of a plan get it. A deployment that was paused goes on in its own; a way back has none.
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

// sameHosts reports whether two lists have the same hosts.
func sameHosts(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// planBack goes to the release before: its container has to be there, and so has its image.
func (f *Fleet) planBack(ctx context.Context, h Host, one *HostPlan, before *Version, trouble func(next, format string, args ...any)) {
	next := "`mage deploy:to " + f.Environment.Name + " -digest=…` deploys any image that the registry has"
	if before == nil {
		trouble(next, "there is no release before the one that it has")
		return
	}
	one.Will = *before
	if now := h.Kept.Current; now != nil && now.ID == before.ID && h.Kept.Candidate == nil && h.Up == now.Upstream() && h.Running != nil && h.Running.Healthy {
		one.stays(h) // another host has not gone back yet, and this one has
		return
	}
	one.Changes = []string{"goes back to " + before.Describe()}
	c := h.Of(before.ID)
	if c == nil {
		trouble(next, "the container of the release before, %s, is gone", before.ID)
		return
	}
	m, err := f.Machine(ctx, h.Name)
	if err == nil {
		_, err = m.Engine.Image(ctx, before.Image)
	}
	switch {
	case errors.Is(err, engine.NotFound):
		trouble(next, "the image of the release before, %s, is gone", before.Image)
	case err != nil:
		trouble("", "%v", err)
	}
}

// askImage finds out whether the host can have the image, before anything is changed.
func (f *Fleet) askImage(ctx context.Context, p *Plan, h Host, trouble func(next, format string, args ...any)) {
	if len(p.Image.Platforms) > 0 && !slices.Contains(p.Image.Platforms, h.Arch) {
		trouble("add it to platforms of [tool.image], and push the image again", "the image is not made for %s, which the host is; it is made for %s", h.Arch, strings.Join(p.Image.Platforms, ", "))
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
		trouble("`docker login` here: your login is sent with the pull, and is kept on no host", "the registry does not let it pull %s", p.Image.Ref())
	case err != nil:
		trouble(operr.NextOf(err), "it cannot pull %s: %v", p.Image.Ref(), err)
	}
}

// changes says what is to be another than it is.
func changes(h Host, wanted Version) []string {
	now := h.Kept.Current
	switch {
	case now == nil && h.Running == nil:
		return []string{"first deployment: " + wanted.Describe()}
	case h.Waiting:
		return []string{"it waits for its secrets, which were in memory alone → " + wanted.Describe()}
	case h.Running == nil:
		return []string{"nothing answers → " + wanted.Describe()}
	case h.Running.Image != wanted.Image:
		return []string{Version{Image: h.Running.Image, Revision: h.Running.Revision}.Describe() + " → " + wanted.Describe()}
	case !h.Running.Healthy:
		return []string{"it is not healthy (" + h.Running.Says + "), and is started anew"}
	case now != nil && now.Spec != wanted.Spec:
		return []string{"the same image with another configuration"}
	}
	return []string{"the same image, started anew"}
}

// note says what is to be known of a plan before it is agreed to.
func (f *Fleet) note(p *Plan) {
	e := f.Environment
	say := func(format string, args ...any) { p.Notes = append(p.Notes, fmt.Sprintf(format, args...)) }
	switch {
	case e.Revision.None():
		say("the health path says no revision: the gate compares the digest of the container alone")
	case p.Image.Revision == "" && !p.Back:
		say("the image has no label with its revision: the gate compares the digest of the container alone")
	}
	if len(e.Environment) > 0 && !p.Back {
		say("the containers get of your environment: %s", strings.Join(e.Environment, ", "))
	}
	for _, s := range e.Secrets {
		switch {
		case p.Back && !e.Memory:
		case len(s.Command) > 0:
			say("the secret %s is what this prints, which is run here: %q", s.Name, s.Command)
		default:
			say("the secret %s is your variable %s", s.Name, s.Variable)
		}
	}
	if e.Memory && len(e.Secrets) > 0 {
		say("secrets are kept in memory: after a reboot a host waits for `mage deploy:to`")
	}
	if e.StopFirst {
		say("the old container is stopped before the new one starts: nothing answers in between")
	}
	switch {
	case e.After != "" && p.Force != "":
		say("whatever %s runs, since you say: %s", e.After, p.Force)
	case e.After != "" && !p.Back:
		say("it is what %s runs on all its hosts, which is asked again before anything is changed", e.After)
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
		say("one group of hosts after the other%s: %s", between, strings.Join(groups, ", then "))
	}
	if len(p.Without) > 0 {
		say("without %s, which stays as it is: the next deployment brings it up to date", strings.Join(p.Without, ", "))
	}
	images := map[string]bool{}
	for _, h := range p.Hosts {
		images[h.Will.Image] = true
	}
	if p.Back && len(images) > 1 {
		say("the hosts go back to different images")
	}
}

// given is what a plan needs of the operator's environment. A container that is gone back to keeps the values that it was made with.
func (f *Fleet) given(back bool) (values []string, err error) {
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

// Values are those of the variables that containers get, NAME=VALUE.
func (f *Fleet) Values() (all []string, err error) {
	for _, variable := range f.Environment.Environment {
		value, there := f.Variable(variable)
		if !there {
			return nil, operr.NewUsage("set it, or take it out of environment", "[tool.deploy.%s] wants the variable %s, which is not set", f.Environment.Name, variable)
		}
		all = append(all, variable+"="+value)
	}
	return all, nil
}

// Refuse is the error of a plan that cannot be carried out; nil where it can.
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
	return operr.New("", "%s cannot be changed, and nothing was: there is trouble on %s", p.Environment.Name, strings.Join(hosts, ", ")).WithDetail(strings.Join(lines, "\n"))
}

// SecretVariable is the value of a secret that is a variable.
func (f *Fleet) SecretVariable(s config.Secret) ([]byte, error) {
	value, there := f.Variable(s.Variable)
	if !there || value == "" {
		return nil, operr.NewUsage("set it", "the secret %s is the variable %s, which is not set", s.Name, s.Variable)
	}
	return []byte(value), nil
}
