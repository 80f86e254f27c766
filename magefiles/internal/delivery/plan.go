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

// Plan is what the user confirms. It can be encoded as JSON.
type Plan struct {
	App          string     `json:"app"`
	Base         string     `json:"base"` // commit at which the delivery starts
	Branch       string     `json:"branch"`
	Remote       string     `json:"remote"`
	Pins         *bump.Plan `json:"pins"`         // empty if no pin moves
	CI           bool       `json:"ci,omitempty"` // a CI builds the image
	Environments []string   `json:"environments"` // in deployment order
}

// Label returns a short description of the plan.
func (p *Plan) Label() string {
	if moved := p.describeVersions(); moved != "" {
		return p.App + "/" + moved
	}
	return p.App + "/" + short(p.Base)
}

// describeVersions lists the versions that the pins move to.
func (p *Plan) describeVersions() string {
	var versions []string
	for _, m := range p.Pins.Packages {
		if !slices.Contains(versions, m.New) {
			versions = append(versions, m.New)
		}
	}
	return strings.Join(versions, "+")
}

// message returns the commit message.
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

// fits reports whether an earlier run's plan has this application, version and last environment. An empty version or environment matches any plan.
func (p *Plan) fits(app, to, until string) bool {
	other := func(m bump.Move) bool { return !version.Same(m.New, to) }
	return p.App == app &&
		(until == "" || p.Environments[len(p.Environments)-1] == until) &&
		(to == "" || !slices.ContainsFunc(p.Pins.Packages, other))
}

// plan makes a plan. It returns nil if the checked-out commit's image already runs everywhere.
func (d *Delivery) plan(ctx context.Context) (*Plan, error) {
	if len(d.Stages) == 0 {
		return nil, operr.NewUsage("add a table [tool.deploy.NAME] with hosts and port to the downstream's manifest", "%s has no deployment environment", d.App)
	}
	stages, err := stagesUntil(d.Stages, d.Until)
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
		return nil, operr.New("run `git switch BRANCH`; the delivery commits to this branch, and pushes the commit", "no branch is checked out")
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

// mayCommit checks that a commit can be made in the clone, before anything changes.
func (d *Delivery) mayCommit(ctx context.Context, p *Plan) error {
	if !p.Pins.Empty() {
		return d.Store.Preflight(ctx, p.Pins, d.Repo, bump.Parts{Commit: true})
	}
	changed, err := d.Repo.Changed(ctx)
	if err == nil && len(changed) > 0 {
		err = operr.New("commit these changes, or put the changes away with `git stash`", "the work tree has changes, but only committed files are delivered").WithDetail(strings.Join(changed, "\n"))
	}
	return err
}

// isDelivered reports whether there is nothing to do: the checked-out commit is pushed, and its image runs on all hosts of all environments.
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

// Ordered is an environment that may follow another one.
type Ordered interface {
	Name() string
	After() string // name of the preceding environment; "" for none
}

// Order sorts environments by deployment order: each comes after the one that it names.
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
			return nil, operr.NewUsage("set `after` to one of "+strings.Join(names, ", "), "[tool.deploy.%s] has after = %q, but there is no environment with this name", s.Name(), s.After())
		}
	}
	return nil, operr.NewUsage("remove the key `after` from one of these environments", "the environments %s wait for one another", strings.Join(namesOf(rest), ", "))
}

// `stagesUntil` returns the environments up to and including the named one, or all if name is "".
func stagesUntil(ordered []Stage, name string) ([]Stage, error) {
	if name == "" {
		return ordered, nil
	}
	n := slices.IndexFunc(ordered, func(s Stage) bool { return s.Name() == name })
	if n < 0 {
		return nil, operr.NewUsage("use one of "+strings.Join(namesOf(ordered), ", "), "there is no deployment environment %q", name)
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
