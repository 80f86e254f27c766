package delivery

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// Plan is what a person agrees to: it survives JSON.
type Plan struct {
	App          string     `json:"app"`
	Base         string     `json:"base"` // the commit that it begins at
	Branch       string     `json:"branch"`
	Remote       string     `json:"remote"`
	Pins         *bump.Plan `json:"pins"`         // an empty one where the pins are there
	CI           bool       `json:"ci,omitempty"` // a CI makes the image
	Environments []string   `json:"environments"` // in their order
}

// Label names the plan to people.
func (p *Plan) Label() string {
	if moved := p.moved(); moved != "" {
		return p.App + "/" + moved
	}
	return p.App + "/" + short(p.Base)
}

// moved are the versions that the pins move to.
func (p *Plan) moved() string {
	var versions []string
	for _, m := range p.Pins.Packages {
		if !slices.Contains(versions, m.New) {
			versions = append(versions, m.New)
		}
	}
	return strings.Join(versions, "+")
}

// message is that of the commit.
func (p *Plan) message() string {
	var what []string
	for _, m := range p.Pins.Packages {
		what = append(what, m.Name+" "+m.New)
	}
	if len(what) == 0 {
		what = []string{operr.Count(len(p.Pins.Files), "file")}
	}
	return p.App + ": take " + strings.Join(what, ", ") + "\n"
}

// fits reports whether a plan of a run before this one is what is asked for; "" asks for nothing in particular.
func (p *Plan) fits(app, to, until string) bool {
	other := func(m bump.Move) bool { return !version.Same(m.New, to) }
	return p.App == app &&
		(until == "" || p.Environments[len(p.Environments)-1] == until) &&
		(to == "" || !slices.ContainsFunc(p.Pins.Packages, other))
}

// plan works out what is to be done. It is nil where the image of what is checked out runs everywhere.
func (d *Delivery) plan(ctx context.Context) (*Plan, error) {
	if len(d.Stages) == 0 {
		return nil, operr.NewUsage("add a table [tool.deploy.NAME] with hosts and port to the downstream's manifest", "%s has no deployment environment to be delivered to", d.App)
	}
	stages, err := until(d.Stages, d.Until)
	if err != nil {
		return nil, err
	}
	pins, err := d.Pins(ctx)
	if err != nil {
		return nil, err
	}
	head, err := d.Repo.Head(ctx)
	if err != nil {
		return nil, err
	}
	if head.Branch == "" {
		return nil, operr.New("`git switch BRANCH`: a delivery makes a commit on it, and pushes that", "no branch is checked out")
	}
	p := &Plan{
		App:          d.App,
		Base:         head.Commit,
		Branch:       head.Branch,
		Remote:       d.Remote,
		Pins:         pins,
		CI:           d.CI != nil,
		Environments: namesOf(stages),
	}
	if err := d.mayCommit(ctx, p); err != nil {
		return nil, err
	}
	switch done, err := d.isDelivered(ctx, p); {
	case err != nil:
		return nil, err
	case done:
		return nil, nil
	}
	return p, nil
}

// mayCommit asks the clone whether the commit can be made, before anything is changed.
func (d *Delivery) mayCommit(ctx context.Context, p *Plan) error {
	if !p.Pins.Empty() {
		return d.Store.Preflight(ctx, p.Pins, d.Repo, bump.Parts{Commit: true})
	}
	changed, err := d.Repo.Changed(ctx)
	if err == nil && len(changed) > 0 {
		err = operr.New("commit or stash them", "the work tree has changes: what is delivered is what is committed").WithDetail(strings.Join(changed, "\n"))
	}
	return err
}

// isDelivered reports whether nothing is to be done: what is checked out is pushed, and its image runs on all hosts of all environments.
func (d *Delivery) isDelivered(ctx context.Context, p *Plan) (bool, error) {
	if !p.Pins.Empty() {
		return false, nil
	}
	refs, err := gitremote.Read(ctx, d.Repo, p.Remote)
	if err != nil || refs.Branches[p.Branch] != p.Base {
		return false, err
	}
	image, there, err := d.Find(ctx, p.Base)
	if err != nil || !there {
		return false, err
	}
	for _, name := range p.Environments {
		if runs, _, err := d.stage(name).Runs(ctx, image); err != nil || !runs {
			return false, err
		}
	}
	return true, nil
}

// Ordered is what has a place in the order of environments.
type Ordered interface {
	Name() string
	After() string // the name of the one that it comes behind; "" for none
}

// Order puts environments into the order in which they get an image: each behind the one that it names.
func Order[S Ordered](all []S) ([]S, error) {
	var names []string
	for _, s := range all {
		names = append(names, s.Name())
	}
	var ordered []S
	rest := slices.Clone(all)
	for len(rest) > 0 {
		next := slices.IndexFunc(rest, func(s S) bool {
			return s.After() == "" || slices.ContainsFunc(ordered, func(o S) bool { return o.Name() == s.After() })
		})
		if next < 0 {
			break
		}
		ordered = append(ordered, rest[next])
		rest = slices.Delete(rest, next, next+1)
	}
	if len(rest) == 0 {
		return ordered, nil
	}
	for _, s := range rest {
		if !slices.Contains(names, s.After()) {
			return nil, operr.NewUsage("there are "+strings.Join(names, ", "), "[tool.deploy.%s] is after %q, which there is not", s.Name(), s.After())
		}
	}
	return nil, operr.NewUsage("let one of them be after none", "the environments %s wait for one another", strings.Join(namesOf(rest), ", "))
}

// until leaves the environments out that come behind one; "" keeps all.
func until(ordered []Stage, name string) ([]Stage, error) {
	if name == "" {
		return ordered, nil
	}
	n := slices.IndexFunc(ordered, func(s Stage) bool { return s.Name() == name })
	if n < 0 {
		return nil, operr.NewUsage("say one of "+strings.Join(namesOf(ordered), ", "), "there is no deployment environment %q", name)
	}
	return ordered[:n+1], nil
}

func namesOf[S Ordered](all []S) (names []string) {
	for _, s := range all {
		names = append(names, s.Name())
	}
	return names
}

func short(commit string) string { return commit[:min(12, len(commit))] }
