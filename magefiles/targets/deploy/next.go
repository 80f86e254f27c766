package deploy

import (
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/targets"
)

// init sets the next step after an image was made: its first deployment.
func init() { targets.DeployFirst(firstOf) }

// firstOf returns the step that deploys a downstream's image to the first environment, unless the CI deploys to it; "" if there is no such step. The
// step names the downstream if several are deployed.
func firstOf(w *workspace.Workspace, downstream string) string {
	d, err := w.Downstream(downstream)
	if err != nil {
		return ""
	}
	all, err := config.Of(w, d)
	if err != nil {
		return ""
	}
	e := next(all, "")
	if e == "" {
		return ""
	}
	var f Flags
	if _, _, err := chosenOf(w, ""); err != nil {
		f.Only = &downstream
	}
	return f.to(e)
}

// `next` returns the environment that gets an image after another environment; "" if there is none, or the CI deploys to it.
func next(all []config.Environment, after string) string {
	for _, e := range all {
		if e.After == after && e.By != config.CI {
			return e.Name
		}
	}
	return ""
}

// afterDeployment returns the next step once an image runs in an environment: deploying it to the next environment, or looking at it.
func afterDeployment(w *workspace.Workspace, of *workspace.Downstream, name string, f Flags) string {
	if all, err := config.Of(w, of); err == nil {
		if e := next(all, name); e != "" {
			return Flags{Only: f.Only}.to(e) // the flags for hosts and the image belong to the other environment
		}
	}
	return look(name, f)
}

// look returns the step that looks at an environment, for when nothing else should be done.
func look(name string, f Flags) string {
	return Flags{Only: f.Only}.step("mage deploy:status -env=" + operr.Word(name))
}

// afterPlan returns the next step after a plan was shown.
func afterPlan(p *survey.Plan, f Flags) string {
	if p.Nothing() {
		return look(p.Environment.Name, f)
	}
	return f.to(p.Environment.Name)
}

// afterLook returns the next step after the progress of a delivery was shown; "" while a process works on a delivery.
func afterLook(r reportedStanding, f Flags) string {
	only := Flags{Only: f.Only}
	switch {
	case r.Running != "":
		return ""
	case r.Plan == nil:
		return only.step("mage deliver")
	case r.End == "":
		return only.step("mage deliver") + " continues the delivery; " + only.step("mage deliver -undo") + " undoes the delivery"
	}
	return only.step("mage deploy:status")
}

// afterSetup returns the next step after the hosts of an environment were set up. Hosts that were left out get no image either.
func afterSetup(name string, f Flags) string {
	return Flags{Without: f.Without, Only: f.Only}.to(name)
}

// `to` returns the step that deploys to an environment, with the flags.
func (f Flags) to(name string) string { return f.step("mage deploy:to " + operr.Word(name)) }

// step returns a command line with the flags that select what is deployed, and to which hosts.
func (f Flags) step(line string) string {
	for _, flag := range []struct {
		name  string
		value *string
	}{
		{"digest", f.Digest},
		{"tag", f.Tag},
		{"without", f.Without},
		{"force", f.Force},
		{"only", f.Only},
	} {
		if value := orZero(flag.value); value != "" {
			line += " -" + flag.name + "=" + operr.Word(value)
		}
	}
	return "`" + line + "`"
}
