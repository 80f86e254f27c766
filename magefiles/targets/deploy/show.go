package deploy

import (
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
	deploying "github.com/foopack/foopack/magefiles/internal/deploy"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/targets"
)

func showPlan(v *view.View, p *survey.Plan) {
	if p.Back {
		v.Heading("%s of %s goes back", p.Environment.Name, p.App)
	} else {
		v.Heading("%s of %s: %s", p.Environment.Name, p.App, p.Image.Ref())
	}
	rows := planRows(p)
	v.Table(rows[0], rows[1:])
	for _, h := range p.Hosts {
		for _, line := range h.Drift {
			v.Text("  ○ %s: %s", h.Host, line)
		}
	}
	var settings [][]string
	for _, s := range p.Settings {
		settings = append(settings, []string{"  " + s.Name, s.Value})
	}
	v.Table([]string{"  SETTING", "IS"}, settings)
	for _, note := range p.Notes {
		v.Text("  ○ %s", note)
	}
	for _, t := range p.Troubles {
		v.Text("  ✗ %s", ofHost(t.Host, t.Says))
		if t.Next != "" {
			v.Text("    → %s", t.Next)
		}
	}
	if p.Nothing() {
		v.Line("  all hosts run this image already")
	}
}

func describeHostPlan(h survey.HostPlan) string {
	if h.Same {
		return "stays as it is"
	}
	return strings.Join(h.Changes, "; ")
}

func showStatus(v *view.View, s reportedStatus) {
	v.Heading("%s of %s", s.Environment, s.App)
	rows := statusRows(s)
	v.Table(rows[0], rows[1:])
	for _, h := range s.Hosts {
		if h.Trouble != "" {
			v.Text("  ✗ %s", ofHost(h.Name, h.Trouble))
			if h.Next != "" {
				v.Text("    → %s", h.Next)
			}
		}
		for _, line := range h.Drift {
			v.Text("  ○ %s: %s", h.Name, line)
		}
		if h.Holder != nil {
			v.Text("  ○ %s: locked by %s since %s, for %s more", h.Name, h.Holder, h.Holder.Since.Format(time.RFC3339), columns.Took(h.Left))
		}
		for _, e := range h.Audit {
			v.Text("    %s  %s  %s: %s: %s", h.Name, e.At.Format(time.RFC3339), e.Who, e.What, e.Result)
		}
	}
}

// ofHost returns a text about a host, with the host's name once.
func ofHost(name, says string) string {
	if strings.HasPrefix(says, name+" ") {
		return says
	}
	return name + ": " + says
}

// showTodo shows what setup would do on each host.
func showTodo(x *targets.Extension, todo []deploying.Todo) {
	for _, h := range todo {
		for _, line := range h.Will {
			x.View.Text("%s: %s", h.Host, line)
		}
	}
}
