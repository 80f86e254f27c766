package deploy

import (
	"fmt"
	"strings"
	"time"

	deploying "github.com/foopack/foopack/magefiles/internal/deploy"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/targets"
)

func showPlan(x *targets.Extension, p *survey.Plan, now time.Time) {
	v := x.View
	if p.Back {
		v.Heading("%s of %s goes back", p.Environment.Name, p.App)
	} else {
		v.Heading("%s of %s: %s", p.Environment.Name, p.App, p.Image.Ref())
	}
	var rows [][]string
	for _, h := range p.Hosts {
		row := []string{"  " + h.Host, running(h.Running), age(h.Running, now), what(h), fmt.Sprintf("%d MB", h.Free/1e6)}
		if h.Running == nil && h.Free == 0 { // it did not say
			row[1], row[4] = "not known", ""
		}
		rows = append(rows, row)
	}
	v.Table([]string{"  HOST", "RUNS", "FOR", "WILL", "FREE"}, rows)
	for _, h := range p.Hosts {
		for _, line := range h.Drift {
			v.Line("  ○ %s: %s", h.Host, line)
		}
	}
	var settings [][]string
	for _, s := range p.Settings {
		settings = append(settings, []string{"  " + s.Name, s.Value})
	}
	v.Table([]string{"  SETTING", "IS"}, settings)
	for _, note := range p.Notes {
		v.Line("  ○ %s", note)
	}
	for _, t := range p.Troubles {
		v.Line("  ✗ %s: %s", t.Host, t.Says)
		if t.Next != "" {
			v.Line("    → %s", t.Next)
		}
	}
	if p.Nothing() {
		v.Line("  all hosts run it already")
	}
}

func what(h survey.HostPlan) string {
	if h.Same {
		return "stays as it is"
	}
	return strings.Join(h.Changes, "; ")
}

// running is what a host runs, in a cell.
func running(r *survey.Running) string {
	if r == nil {
		return "nothing"
	}
	_, digest, _ := strings.Cut(r.Image, "@")
	health := "healthy"
	if !r.Healthy {
		health = "not healthy: " + r.Says
	}
	return fmt.Sprintf("%.19s, %s", digest, health)
}

// age is for how long it has run.
func age(r *survey.Running, now time.Time) string {
	if r == nil {
		return ""
	}
	return now.Sub(r.Since).Round(time.Second).String()
}

func showStatus(x *targets.Extension, s reportedStatus, now time.Time) {
	v := x.View
	v.Heading("%s of %s", s.Environment, s.App)
	var rows [][]string
	for _, h := range s.Hosts {
		row := []string{"  " + h.Name, running(h.Running), "", age(h.Running, now)}
		if h.Running != nil {
			row[2] = fmt.Sprintf("%.12s", h.Running.Revision)
		}
		if h.Waiting {
			row[1] = "waiting for secrets"
		}
		if h.Trouble != "" {
			row[1] = "cannot be asked"
		}
		if h.Trouble != "" && len(h.Setup) > 0 {
			row[1] = "not set up"
		}
		rows = append(rows, row)
	}
	v.Table([]string{"  HOST", "RUNS", "REVISION", "FOR"}, rows)
	for _, h := range s.Hosts {
		if h.Trouble != "" {
			v.Line("  ✗ %s: %s", h.Name, h.Trouble)
			if h.Next != "" {
				v.Line("    → %s", h.Next)
			}
		}
		for _, line := range h.Drift {
			v.Line("  ○ %s: %s", h.Name, line)
		}
		if h.Holder != nil {
			v.Line("  ○ %s: locked by %s since %s, for %s more", h.Name, h.Holder, h.Holder.Since.Format(time.RFC3339), h.Left)
		}
		for _, e := range h.Audit {
			v.Line("    %s  %s  %s: %s: %s", h.Name, e.At.Format(time.RFC3339), e.Who, e.What, e.Result)
		}
	}
}

// showTodo says what is to be done on each host.
func showTodo(x *targets.Extension, todo []deploying.Todo) {
	for _, h := range todo {
		for _, line := range h.Will {
			x.View.Line("%s: %s", h.Host, line)
		}
	}
}
